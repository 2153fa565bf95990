"""Prompts, true and untrue, in words of their own: forty of each that were written before any word list was changed for them, and forty
more once the lists had been widened by kinds. What was found of them at first is in docs/prompts.md."""

C = "{amount:money} with {brand:brand} {last4:digits}"
ONE_TWO = ": press 1 to pay, 2 for another card."
AGREE = "To agree, press 1. To choose again, press 2."

UNTRUE_EN = [
    # ---- another charge than the one that key 1 makes
    ("confirm_card", f"{C} until the end of the year{ONE_TWO}"),
    ("confirm_card", f"{C}, to be debited within five business days{ONE_TWO}"),
    (
        "confirm_card",
        f"{C}. Your card is billed when the parcel leaves our warehouse. Press 1 to pay, 2 for another card.",
    ),
    ("confirm_card", f"{C}, which opens your membership{ONE_TWO}"),
    (
        "confirm_card",
        f"Half of {{amount:money}} this evening, the remainder in January, with {{brand:brand}} {{last4:digits}}{ONE_TWO}",
    ),
    ("confirm_card", f"{C} for as long as you remain a customer{ONE_TWO}"),
    ("confirm_card", f"{C}, collected overnight{ONE_TWO}"),
    ("confirm_card", f"{C}. The money leaves your account next Tuesday. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}, and we keep billing you at this rate{ONE_TWO}"),
    (
        "confirm_card",
        f"{C}. The charge appears only after you have been seen by the doctor. Press 1 to pay, 2 for another card.",
    ),
    ("confirm_card", f"{C}, with nothing taken before June{ONE_TWO}"),
    ("confirm_card", f"{C}. You can call this payment off until midnight. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C} this time and each time you top up{ONE_TWO}"),
    ("confirm_card", f"{C}, automatically repeated{ONE_TWO}"),
    ("confirm_card", f"{C}, later today{ONE_TWO}"),
    # ---- agreements
    (
        "confirm_mandate",
        f"You allow us to collect as much as {{amount:money}} each month until you call it off. {AGREE}",
    ),
    ("confirm_mandate", f"You allow us to collect {{amount:money}} or more each month until you call it off. {AGREE}"),
    (
        "confirm_promise",
        f"You promise to pay {{amount:money}} by {{by:date}}, and your card is debited straight away. {AGREE}",
    ),
    (
        "confirm_promise",
        f"We take {{amount:money}} from your card today, and you promise the rest by {{by:date}}. {AGREE}",
    ),
    (
        "confirm_plan",
        f"You will pay about {{amount:money}} in {{instalments:number}} monthly parts of {{instalment:money}}. {AGREE}",
    ),
    # ---- what became of a charge
    ("charge_not_known", "Nothing was taken, so please try again."),
    ("charge_not_known", "You may pay once more without worry."),
    ("charge_not_known", "Your card has surely not been debited."),
    ("charge_not_known", "All is well, your bill is settled."),
    ("nothing_due", "There is a balance left on this account."),
    ("nothing_due", "Your invoice is still open."),
    ("nothing_due", "Please pay before the end of the month."),
    ("bank_not_reached", "Your bank is working on your payment."),
    ("bank_not_reached", "The payment has arrived at the bank and will be booked."),
    ("bank_not_reached", "You do not have to pay any more."),
    ("card_declined", "Your bank said no, but the money has gone."),
    ("card_declined", "Thank you, that worked."),
    ("payment_went_through", "Your card could not be debited."),
    ("payment_went_through", "We are waiting for the bank to say whether you have paid."),
    ("you_were_not_charged", "The amount has been deducted from your card."),
    ("you_were_charged", "No money has left your account. The amount was {amount:money}."),
    ("call_again_for_the_result", "Your payment is done. Please call again later to hear the number."),
    ("we_will_text_the_result", "The bank refused. We will send you a text message about it."),
    ("payment_in_progress", "Nobody is working on a payment of yours: go ahead and pay."),
    ("cancelled", "Your payment went ahead."),
]

TRUE_EN = [
    # ---- one charge, now
    ("confirm_card", f"{C} for the year 2027{ONE_TWO}"),
    (
        "confirm_card",
        "To settle your balance of {amount:money} with {brand:brand} {last4:digits}, press 1. For another card, press 2.",
    ),
    ("confirm_card", f"{C}, charged once, this minute{ONE_TWO}"),
    ("confirm_card", f"{C} for the goods that were shipped last week{ONE_TWO}"),
    ("confirm_card", f"{C} for your subscription, which does not renew by itself{ONE_TWO}"),
    ("confirm_card", f"{C}, all of what is left of your bill{ONE_TWO}"),
    ("confirm_card", f"{C} for your stay from Friday to Sunday{ONE_TWO}"),
    ("confirm_card", f"{C} for six months of parking that you have used{ONE_TWO}"),
    ("confirm_card", f"{C} is charged as soon as you press 1. For another card, press 2."),
    ("confirm_card", f"Your electricity in October: {C}{ONE_TWO}"),
    ("confirm_card", f"{C}. Your ticket is good until Monday. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}. We ship by the end of the day. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}, and no more than that{ONE_TWO}"),
    ("confirm_card", f"{C}. This is the only charge. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C} today, nothing after that{ONE_TWO}"),
    (
        "confirm_reservation",
        "To hold {amount:money} on {brand:brand} {last4:digits}, press 1. For another card, press 2. Nothing is taken today.",
    ),
    # ---- agreements
    (
        "confirm_mandate",
        f"Each month until you tell us to stop, we collect {{amount:money}}, neither more nor less. {AGREE}",
    ),
    ("confirm_promise", f"You promise us {{amount:money}} by {{by:date}}. We do not charge your card now. {AGREE}"),
    ("confirm_promise", f"By {{by:date}} you will pay {{amount:money}}. Nothing is charged in this call. {AGREE}"),
    (
        "confirm_plan",
        f"You will pay {{amount:money}} in {{instalments:number}} monthly parts of {{instalment:money}}, the last of {{last_instalment:money}}; nothing is charged today. {AGREE}",
    ),
    # ---- what became of a charge
    ("charge_not_known", "It is not safe to pay again until you have heard from us."),
    ("charge_not_known", "Before you pay again, please find out whether you were charged."),
    ("charge_not_known", "We have not heard from the bank, and cannot say if you have paid."),
    ("charge_not_known", "Perhaps your card was charged, perhaps not. Please ask your bank first."),
    ("nothing_due", "You do not need to pay anything."),
    ("nothing_due", "No invoice of yours is open."),
    ("nothing_due", "Your last payment has reached us; nothing more is owed."),
    ("bank_not_reached", "The bank does not have your payment, and you still owe it."),
    (
        "bank_not_reached",
        "There is no line to the bank at the moment. Your card was left alone, so your bill is still to be paid.",
    ),
    ("bank_not_reached", "Nothing went to your bank. You can try again in an hour."),
    ("card_declined", "Your bank said no, and no money has gone."),
    ("card_declined", "That did not work. Please ask your bank why."),
    ("payment_went_through", "Your card has been debited, and your bill is settled."),
    ("you_were_not_charged", "Nothing has been deducted from your card, and your bill is still unpaid."),
    ("you_were_charged", "{amount:money} has been deducted from your card. No more will be taken."),
    (
        "call_again_for_the_result",
        "The bank owes us an answer. We cannot tell it to you later, so please call again tomorrow.",
    ),
    (
        "we_will_text_the_result",
        "As soon as the bank has answered, we will send you a text message. Please do not pay twice.",
    ),
    ("payment_in_progress", "Somebody is paying this account at this moment. Please do not pay it as well."),
    ("cancelled", "You have stopped this payment; your card was not touched."),
    ("due_changed", "Your balance is not what it was: it is now {due:money}."),
]

# ---- and again
UNTRUE_AGAIN_EN = [
    ("confirm_card", f"{C}, debited by close of business{ONE_TWO}"),
    ("confirm_card", f"{C}. We only bill you upon delivery. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}. Nothing leaves your account before Christmas. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}. We will send the charge through at the weekend. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C} and the other half when the work is finished{ONE_TWO}"),
    ("confirm_card", f"{C}, during the coming three quarters{ONE_TWO}"),
    ("confirm_card", f"{C}. Pressing 1 enrolls you in automatic payments. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}, taken out of your account once a week{ONE_TWO}"),
    (
        "confirm_card",
        f"{C}. You have fourteen days to change your mind and get your money back. Press 1 to pay, 2 for another card.",
    ),
    ("confirm_card", f"{C}, and we may charge the card again for damage{ONE_TWO}"),
    ("confirm_card", f"{C}, subject to exchange rates{ONE_TWO}"),
    ("confirm_card", f"{C}, rounded up to the next dollar{ONE_TWO}"),
    ("confirm_card", f"{C}. The card is charged on the day of your flight. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}, whenever you visit us{ONE_TWO}"),
    (
        "confirm_mandate",
        f"You allow us to collect no more than {{amount:money}} each month until you call it off. {AGREE}",
    ),
    (
        "confirm_mandate",
        f"You allow us to collect {{amount:money}} each month until you call it off, beginning with a charge to your card today. {AGREE}",
    ),
    ("confirm_promise", f"You promise to pay roughly {{amount:money}} by {{by:date}}. {AGREE}"),
    (
        "confirm_promise",
        f"By {{by:date}} you promise {{amount:money}}. To be sure of it, we debit your card now. {AGREE}",
    ),
    (
        "confirm_plan",
        f"You will pay {{amount:money}} in {{instalments:number}} monthly parts of {{instalment:money}}. The first part is taken immediately. {AGREE}",
    ),
    ("charge_not_known", "Do not worry, nothing happened to your money."),
    ("charge_not_known", "Please enter your card once more and pay."),
    ("charge_not_known", "Your bank turned the payment down."),
    ("charge_not_known", "We have your payment."),
    ("nothing_due", "Your account is in arrears."),
    ("nothing_due", "An unpaid invoice is on your account."),
    ("nothing_due", "You are behind with your payments."),
    ("nothing_due", "We still expect money from you."),
    ("bank_not_reached", "We have handed your payment to the bank."),
    ("bank_not_reached", "The amount will show on your next statement."),
    ("bank_not_reached", "Your bill has been taken care of."),
    ("bank_did_not_answer", "The bank took your money but did not answer."),
    ("card_declined", "Congratulations, your payment was a success."),
    ("card_declined", "You now owe nothing."),
    ("payment_went_through", "Your bank stopped the payment."),
    ("payment_went_through", "It is still open whether you have paid."),
    ("you_were_not_charged", "We have debited you."),
    ("you_were_charged", "Your money is safe: nobody took it. It was {amount:money}."),
    ("we_will_text_the_result", "You have paid. We will send you a text message."),
    ("call_again_for_the_result", "You may as well pay a second time. Please call again later."),
    ("cancelled", "Your money is on its way to us."),
]

TRUE_AGAIN_EN = [
    ("confirm_card", f"{C} for delivery by the end of the week{ONE_TWO}"),
    ("confirm_card", f"{C}. Your parcel leaves our warehouse on Monday. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C} for the school year that begins in September{ONE_TWO}"),
    ("confirm_card", f"{C} for gas that you used until Friday{ONE_TWO}"),
    ("confirm_card", f"Your water bill is due on Friday. {C}{ONE_TWO}"),
    ("confirm_card", f"{C}, one payment, never repeated{ONE_TWO}"),
    ("confirm_card", f"{C}, with postage in it{ONE_TWO}"),
    ("confirm_card", f"{C}. We do not keep your card and never bill you again. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C} for the second half of your rent{ONE_TWO}"),
    (
        "confirm_card",
        "To clear your account with one payment of {amount:money} from {brand:brand} {last4:digits}, press 1. For another card, press 2.",
    ),
    ("confirm_card", f"Dog license until December: {C}{ONE_TWO}"),
    ("confirm_card", f"{C} to the City of Springfield{ONE_TWO}"),
    ("confirm_card", f"{C}. Key 1 pays it at once. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"Your insurance for the next six months: {C}{ONE_TWO}"),
    ("confirm_card", f"{C}, exactly that and nothing more{ONE_TWO}"),
    (
        "confirm_reservation",
        "To block {amount:money} on {brand:brand} {last4:digits} until you leave, press 1. For another card, press 2.",
    ),
    ("confirm_mandate", f"From next month on we collect {{amount:money}} each month until you call it off. {AGREE}"),
    (
        "confirm_mandate",
        f"We collect {{amount:money}} each month in the way that we have on file. Today nothing is collected. {AGREE}",
    ),
    ("confirm_promise", f"You promise to pay {{amount:money}} by {{by:date}}, by check or in our office. {AGREE}"),
    (
        "confirm_plan",
        f"You will pay {{amount:money}} in all: {{instalments:number}} monthly parts of {{instalment:money}}, the last of {{last_instalment:money}}. {AGREE}",
    ),
    ("charge_not_known", "Something broke on the way to the bank, and we cannot see what became of your payment."),
    ("charge_not_known", "Please look at your statement before you try again."),
    ("charge_not_known", "Please do not pay again until your bank has told you whether you paid."),
    ("charge_not_known", "It may be that your card was charged."),
    ("nothing_due", "Your account is settled. Nothing remains to be paid."),
    ("nothing_due", "We do not expect any money from you."),
    ("nothing_due", "There is no open invoice on this account."),
    ("nothing_due", "If another bill comes, you can pay it on this line."),
    ("bank_not_reached", "Your payment did not get to the bank. What you owe is still open."),
    ("bank_not_reached", "We have no connection to the bank. Please pay at another time."),
    ("bank_did_not_answer", "The bank was silent for too long, so we stopped. You have not paid."),
    ("card_declined", "The bank would not allow it. Nothing was taken, and you can try another card."),
    ("card_declined", "Your bank turned it down. Your bill is still open."),
    ("payment_went_through", "That worked: the bank has taken the payment."),
    ("you_were_not_charged", "Nobody took money from your card. You still owe your bill."),
    ("you_were_charged", "We took {amount:money} from your card, and cannot tell others about it."),
    ("we_will_text_the_result", "The bank is still thinking. A text message will tell you how it ended."),
    ("call_again_for_the_result", "Nobody can say yet how it ended. In an hour you can ask us again."),
    ("payment_in_progress", "There is a payment under way for this account. Please wait until it has ended."),
    ("cancelled", "We have thrown your payment away. The bill stays open."),
]

# ---- one by one: what was once let pass, or refused wrongly
UNTRUE_ONCE_EN = [
    ("confirm_card", f"{C} for the next six months{ONE_TWO}"),
    ("confirm_card", f"{C}, charged by the end of the day{ONE_TWO}"),
    ("confirm_card", f"{C}. We take it when the goods are shipped. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}. This starts a subscription. Press 1 to pay, 2 for another card."),
    ("confirm_card", f"{C}, the rest on Monday{ONE_TWO}"),
    ("charge_not_known", "It is safe to pay again."),
    ("nothing_due", "You still need to pay."),
    ("bank_not_reached", "The bank has your payment."),
    ("confirm_mandate", f"You allow us to collect up to {{amount:money}} each month. {AGREE}"),
    ("confirm_promise", f"You promise to pay {{amount:money}} by {{by:date}}. We charge your card now. {AGREE}"),
    ("confirm_card", f"To settle {C} another time, press 1. For another card, press 2."),
    ("confirm_card", f"To clear {C} from your card, press 1. For another card, press 2."),
    ("confirm_card", f"To hold {C}, press 1. For another card, press 2."),
    (
        "confirm_reservation",
        "To hold the line for {amount:money} on {brand:brand} {last4:digits}, press 1. For another card, press 2.",
    ),
]
TRUE_ONCE_EN = [
    ("confirmation_number", "Paid. Confirmation {number:digits}. Write it down: we cannot tell it to you later."),
    *[
        ("confirm_card", f"To {verb} {C}, press 1. For another card, press 2.")
        for verb in (
            "settle",
            "pay off",
            "clear your balance of",
            "cover your bill of",
            "give us",
            "contribute",
            "top up by",
            "have us charge",
            "renew your membership for",
        )
    ],
    ("confirm_card", f"{C}: press 1 to clear your balance, 2 for another card."),
    ("confirm_card", f"{C} is charged the moment you press 1. For another card, press 2."),
    *[
        (
            "confirm_reservation",
            f"To {verb} {{amount:money}} on {{brand:brand}} {{last4:digits}}, press 1. For another card, press 2.",
        )
        for verb in (
            "hold",
            "block",
            "set aside",
            "guarantee your room with",
            "let us hold",
            "pre-authorize",
            "put on hold",
        )
    ],
]
AGREE_ES = "Para aceptar, oprima 1. Para elegir otra vez, oprima 2."
T = "{amount:money} con {brand:brand} {last4:digits}"
UNO_DOS = ": oprima 1 para pagar, 2 para otra tarjeta."
UNTRUE_ES = [
    ("confirm_card", f"{T} durante los próximos seis meses{UNO_DOS}"),
    ("confirm_card", f"{T}, y se cobra antes del lunes{UNO_DOS}"),
    ("confirm_card", f"{T}. Lo cobramos cuando se envíe el paquete. Oprima 1 para pagar, 2 para otra tarjeta."),
    ("confirm_card", f"{T}. Esto inicia una suscripción. Oprima 1 para pagar, 2 para otra tarjeta."),
    ("confirm_card", f"{T}, el resto el lunes{UNO_DOS}"),
    ("charge_not_known", "Puede pagar otra vez sin problema."),
    ("charge_not_known", "Es seguro pagar de nuevo."),
    ("nothing_due", "Todavía tiene que pagar."),
    ("nothing_due", "Su recibo sigue abierto."),
    ("bank_not_reached", "Su banco ya tiene el pago."),
    ("bank_not_reached", "Ya no tiene que pagar."),
    ("confirm_mandate", f"Usted permite cobrar hasta {{amount:money}} cada mes. {AGREE_ES}"),
    ("confirm_promise", f"Usted promete pagar {{amount:money}} el {{by:date}}. Le cobramos hoy mismo. {AGREE_ES}"),
]
TRUE_ES = [
    (
        "confirm_card",
        "Para liquidar su saldo de {amount:money} con {brand:brand} {last4:digits}, oprima 1. Para otra tarjeta, oprima 2.",
    ),
    ("confirm_card", f"Para cubrir su recibo de {T}, oprima 1. Para otra tarjeta, oprima 2."),
    (
        "confirm_reservation",
        "Para apartar {amount:money} en {brand:brand} {last4:digits}, oprima 1. Para otra tarjeta, oprima 2.",
    ),
    ("confirm_card", f"Su seguro de los próximos seis meses: {T}{UNO_DOS}"),
    ("charge_not_known", "No pague otra vez antes de preguntar a su banco."),
    ("nothing_due", "No tiene que pagar nada."),
    ("nothing_due", "No hay ningún recibo pendiente."),
    ("bank_not_reached", "El banco no tiene su pago, y su recibo sigue pendiente."),
    ("confirm_mandate", f"Usted permite cobrar {{amount:money}} cada mes. Hoy no se cobra nada. {AGREE_ES}"),
    ("confirm_promise", f"Usted promete pagar {{amount:money}} el {{by:date}}. Ahora no le cobramos nada. {AGREE_ES}"),
]
