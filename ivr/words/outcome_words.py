"""What prompts say of what became of the money, against what is on record when they are said.

The engine chooses each of these prompts by its ledger, so each is true of one outcome alone: charged, not charged, not known, or
being undone. Read clause by clause: one that says "if" or "whether" claims nothing, and one in a relative clause is of the past.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.words.choice_words import own_language

_I = re.IGNORECASE
_SENTENCE = re.compile(r"[^.;!?:\n]+")


@dataclass(frozen=True)
class OutcomeWords:
    """`done`: that money was taken; `undone`: that it was not, or was given back; `open`: that nobody knows, or not yet. `denies` turns
    `done` round; `supposes` makes a question of its clause. `owed`: that something is to be paid; `settled`: that nothing is.
    `at_bank`: that a payment is with the bank and goes on; `pay_again`: that the caller may pay now."""

    done: re.Pattern[str]
    undone: re.Pattern[str]
    open: re.Pattern[str]
    goes_on: re.Pattern[str]
    owed: re.Pattern[str]
    settled: re.Pattern[str]
    at_bank: re.Pattern[str]
    pay_again: re.Pattern[str]
    denies: re.Pattern[str]
    supposes: re.Pattern[str]
    clause: re.Pattern[str]


_BE_EN = r"(?:was|were|is|are|has been|have been|['’]s been|['’]ve been|been|got|gets|being|becomes|stays|remains)"
_ADVERB_EN = r"(?:now |just |already |successfully |fully |also |since |indeed |then |in full )*"
_MADE_EN = r"(?:charged|taken|debited|billed|paid|approved|accepted|completed?|successful|processed|made|confirmed|authori[sz]ed|received|settled|deducted|withdrawn|posted|credited|done)"
_DENIES_EN = (
    r"(?:not|never|no|nothing|nobody|none|neither|nor|without|cannot|unable|hardly|failed to|instead of|\w+n['’]t)"
)
# "Payment successful", "card declined": without a verb.
_PAYMENT_EN = r"(?:payment|charge|transaction|purchase|donation|card)"
_EARLIER_EN = r"earlier|before|by|until|so far|previously|in the past|every|each"
_BARE_EN = r"(?<!the )(?<!your )(?<!this )(?<!an )(?<!each )(?<!any )(?<!no )(?<!last )\b"
_PAYMENT_ES = r"(?:pago|cargo|cobro|transacci[óo]n|compra|donativo|tarjeta)"
_BARE_ES = (
    r"(?<!\bel )(?<!\bsu )(?<!\bun )(?<!\bla )(?<!\beste )(?<!\buna )(?<!\besta )(?<!\bdel )(?<!\bal )(?<!\bcada )\b"
)
_BARE_FR = r"(?<!\ble )(?<!\bla )(?<!\bvotre )(?<!\bun )(?<!\bune )(?<!\bce )(?<!\bdu )(?<!\bcette )\b"
_INVITED_EN = r"(?:(?:may|might|can|could) (?:as )?well|may|can|could|should|must|(?:ought|have|need|want|safe|safely|fine|ok|okay|right|best|free|welcome|able|possible) to|(?:go ahead|go on) and|please|just|simply)"
_SIMPLY_EN = r"(?:just|simply|safely|now|please|therefore|happily|then|so)"
_AGAIN_EN = r"(?:again|once more|now|anew|a second time|another time|right away|at once|twice)\b"


def _said_of(payment: str, bare: str, became: str) -> str:
    """ "Pago aprobado": the noun by itself, or at the end of its clause; "el pago aprobado de ayer" tells of one pago among others."""
    return (
        rf"(?:{bare}{payment} {became}(?!\w)(?! (?:antes|anteriormente|por|par|avant)\b)|\b{payment} {became}(?=\W*$))"
    )


_READ = {
    "en": OutcomeWords(
        done=re.compile(
            rf"(?<!that )(?<!which )(?<!who )\b{_BE_EN} {_ADVERB_EN}{_MADE_EN}\b(?! (?:back|off|out)\b)|\b(?:went|gone|come|came|go(?:es)?) (?:right )?through\b|\bsucceeded\b|\b(?:bank|issuer) said yes\b|\bwas a success\b"
            rf"|\b(?:money|amount|payment|charge|sum|it|that|this)(?: has| is|['’]s|['’]ve| have)? {_ADVERB_EN}(?:gone|went|left|worked|cleared|landed|arrived|been sent)\b(?! (?:wrong|back|through|out of|open|unpaid|over|to pay)\b)|\bpayment (?:is|was|went|goes|has gone) (?:ahead|in|done)\b|\b(?:is|was|are) (?:safely )?in (?:our|the merchant['’]s) (?:hands|account)\b|\bwe (?:now )?(?:have|got|hold) (?:your|the) (?:money|payment)\b|\byour (?:payment|money) (?:has )?reached us\b"
            rf"|(?<!what )\b(?:we|bank|it|issuer|you)(?:['’]ve|['’]s| have| has)? {_ADVERB_EN}(?:charged|took|taken|paid|approved|accepted|received|debited|collected|processed)\b|\bthank(?:s| you)(?: very much)? for (?:your|the|this|that) (?:\w+ )?(?:payment|paying|purchase|donation)\b|\bthank(?:s| you) for paying\b|^\W*(?:paid|approved|charged|success(?:ful(?:ly)?)?)\b|\b{_PAYMENT_EN} (?:successful|successfully|approved|accepted|complete|completed|confirmed|authori[sz]ed|received|done|ok|okay|fine|good)\b(?! (?:{_EARLIER_EN})\b)|{_BARE_EN}(?:successful|approved|completed) {_PAYMENT_EN}\b",
            _I,
        ),
        undone=re.compile(
            rf"\b{_PAYMENT_EN} (?:not (?:approved|accepted|charged|taken|completed?|made|successful)|declined|refused|rejected|cancell?ed|denied|refunded|reversed|voided|returned|blocked)\b|{_BARE_EN}(?:declined|refused|rejected|cancell?ed) {_PAYMENT_EN}\b|\b{_DENIES_EN}\b(?! (?:else|more|further|other|need)\b)[^,]{{0,45}}?\b(?:{_MADE_EN}|took|happened|moved|left your (?:card|account)|debited|go(?:ne)? through|succeed\w*|charge(?! of)|take\b(?! (?:another|other|calls|part))|left your (?:card|account)|collect|process|complete)\b(?! (?:again|twice|back)\b)"
            r"|\bnot {0,1}(?:charged|paid|approved)\b|\b(?:was|were|is|are|has been|have been|been|got|get) (?:\w+ )?(?:declined|refused|rejected|cancell?ed|refunded|reversed|undone|voided|reimbursed|returned|given back|taken back|stopped|blocked|denied|aborted|unsuccessful)\b|\b(?:declined|refused|rejected|cancell?ed|refunded|reversed|voided) (?:the|your|this|it)\b|\b(?:failed|unsuccessful)\b|\b(?:did not|didn['’]t) work\b|\b(?:bank|issuer) (?:has )?(?:said no|refused|declined|rejected|turned|stopped|blocked|cancell?ed|returned|sent back|prevented)\b|\b(?:bank|issuer) (?:did not|didn['’]t|would not) (?:approve|accept|agree|allow|authori[sz]e)\b|\b(?:is|are|stays?|remains?) (?:still )?(?:unpaid|untouched)\b|\bturned (?:\w+ ){0,3}down\b|\b(?:no|without) (?:charge|payment)\b(?! (?:information|details|method|card|plan))",
            _I,
        ),
        open=re.compile(
            r"\bpending\b|\b(?:not|cannot|don['’]t|never|unable to|can['’]t) (?:yet )?(?:be )?(?:know|known|say|sure|certain|confirmed|clear|finished)\b|\b(?:not|cannot|don['’]t|unable to|can['’]t) (?:yet )?tell\b(?! (?:it|them|that|this|anyone|anybody|others?|people|the number|your number)\b)|\b(?:is|are|still) being (?:processed|made|worked on|checked)\b|\b(?:is|are|still) (?:processing|in progress|with the bank|waiting|unclear|uncertain|unknown)\b|\bunder review\b|\b(?:is|are|remains?) (?:still )?(?:open|undecided|to be seen) (?:whether|if)\b|(?<!nothing )(?<!nothing more )(?<!nothing else )(?<!no more )(?<!nothing further )\bwill be (?:charged|taken|debited|paid|billed)\b|\btomorrow\b|\bmay (?:have been|not have been|be) (?:charged|paid)\b",
            _I,
        ),
        goes_on=re.compile(
            r"\b(?:not|no longer|never|\w+n['’]t) (?:be |being |been )?(?:undone|taken back|taking back|given back|giving back|refunded|refunding|reversed|reversing|returned)\b|\bkeep(?:ing)? the\b",
            _I,
        ),
        owed=re.compile(
            r"\b(?:you|there) (?:still )?owe\b(?! (?:nothing|no\b|zero))|(?<!what )\b(?:still|remains?|is) (?:due|owed|open|unpaid|outstanding|to be paid|left to pay)\b|\bplease pay\b|\bmore to pay\b|\bhave (?:a|an) (?:\w+ )?balance\b|\b(?:you|we) (?:still |also |now )?(?:have (?:still )?to|need to|must|should|ought to|are to|will have to) (?:still |now )?(?:pay|settle|send)\b|\b(?:there is|there['’]s|there are|you have|we have|shows?) (?:still )?(?:(?:a|an|some|one|your|open|unpaid|overdue|outstanding|small) )*(?:balance|amount|bills?|invoices?|sum|money|debts?|arrears|something)\b|\b(?:bill|balance|account|invoice|payment|rent|amount|debt)s?(?: \w+){0,2} (?:is|are|remains?|stays?)(?: still| now| long)* (?:open|overdue|unpaid|past due|due|late|missing|outstanding|waiting|owed|not paid|unsettled)\b|\bplease (?:settle|send|pay)\b|\bwe (?:are )?(?:still )?(?:wait(?:ing)?|expect(?:ing)?|look(?:ing)? forward) (?:for|to)? ?(?:your|the|a)? ?(?:payment|money)\b|\bis (?:yet )?to be paid\b|\bstill owed\b|\b(?:in arrears|behind (?:with|on|in)|in debt|overdue|past due)\b|\b(?:unpaid|open|outstanding) (?:invoice|bill|balance|amount|sum)\b|\bwe (?:still )?(?:expect|await|want|miss|need) (?:\w+ )?(?:money|payment)\b|\b(?:bill|balance|account) is (?:still )?(?:open|overdue|unpaid|past due)\b|\byou owe (?!nothing)",
            _I,
        ),
        settled=re.compile(
            r"\bnothing (?:is |more |else )*(?:left |more |else )?(?:to pay|due|to be paid|owed|owing|open)\b|\bpaid up\b|\bpaid in full\b|\b(?:bill|balance|account|invoice|debt) (?:is|has been|was) (?:now |fully |all )?(?:settled|paid|cleared|closed|covered|taken care of)\b"
            r"|\b(?:do|need|does|will|must) ?(?:not|n['’]t) (?:have to |need to |be )?(?:pay|paid)(?: (?:anything|it|any ?more|again|twice|once more|a second time|further))|\byou (?:now |no longer |therefore )?(?:owe|have) (?:us )?nothing (?:more|else|left)\b|\byou (?:now |therefore )?owe (?:us )?nothing\b|\byou no longer owe\b|\bno need to pay\b|\ball (?:is )?(?:paid|settled)\b|\byou are (?:all set|done|square|even)\b|\ball is well\b",
            _I,
        ),
        at_bank=re.compile(
            r"\b(?:bank|issuer|processor) (?:now |already |still )?(?:has|have|holds|got|received|keeps) (?:got |received )?(?:now |already )?(?:your|the|this|that|it|our) ?(?:\w+ )?(?:payment|charge|money|transaction|request|order|amount)\b"
            r"|\b(?:bank|issuer|processor|we|somebody|someone|they)(?: (?:is|are)|['’](?:re|s)) (?:now |still |already |busy )?(?:working on|processing|handling|looking at|checking|reviewing|dealing with|taking care of|booking) (?:it|this|that|your|the|this)\b(?! (?:fault|problem|error|line|connection|matter))"
            r"|\b(?:payment|charge|money|transaction|request|amount|it)(?: (?:is|has|was|will))?(?: now| already| still| safely)? (?:with|at|in|reached|arrived at|gone to|been sent to|sent to|passed to|on its way to|underway to|under way to|in the hands of) (?:the|your|our) (?:bank|issuer|processor)\b"
            r"|\b(?:money|payment|amount|charge) (?:is|are) (?:now |already |still )?(?:on (?:its|the) way|under ?way)\b|\b(?:we|it)(?: have|['’]ve| has)? (?:handed|passed|sent|given|submitted|forwarded|transmitted) (?:it|that|this|your \w+|the \w+)(?: on)? to (?:the|your|our) (?:bank|issuer|processor)\b|\bwill (?:show|appear|be seen|be) (?:up )?on your (?:next )?(?:\w+ )?statement\b"
            r"|\b(?:payment|charge|money|amount|it)(?: \w+)? (?:will|is going to|shall) (?:then |soon |now |later |still )?(?:be (?:booked|processed|charged|made|taken|debited|completed|posted|credited|collected)|go through|follow|arrive|come through)\b|\b(?:your|the|this) (?:payment|charge) is (?:still |now )?(?:on its way|under ?way|in progress|pending|processing|going through|being (?:made|processed|worked on|booked))\b",
            _I,
        ),
        pay_again=re.compile(
            rf"\b{_INVITED_EN}(?: {_SIMPLY_EN})*,? (?:pay|try|repeat|make|submit|send)\b(?: \w+){{0,4}}? {_AGAIN_EN}|\b{_INVITED_EN}(?: {_SIMPLY_EN})* pay(?: (?:it|your bill|the bill|this))?\W*$"
            rf"|^\W*(?:{_SIMPLY_EN} )*(?:pay|try)(?: \w+){{0,3}}? {_AGAIN_EN}|\b(?:enter|use|key in|give us) (?:your|the|another|a) (?:\w+ )?card\b(?: \w+){{0,3}}? (?:{_AGAIN_EN}|and pay\b)|\b(?:paying|trying) (?:\w+ )?{_AGAIN_EN} (?:is|will be) (?:\w+ )?(?:safe|fine|ok|okay|no problem|all right|possible|harmless)\b",
            _I,
        ),
        denies=re.compile(rf"\b{_DENIES_EN}\b(?! (?:only|just)\b)", _I),
        supposes=re.compile(
            r"\b(?:if|whether|before|until|till|unless|once|when|whenever|in case|as soon as|after|only|how|had|should|would|perhaps|maybe|possibly|either|(?:can|could|may|might)(?! not)|to (?:be|get|have|hear|find|see|learn|know)|result)\b",
            _I,
        ),
        clause=re.compile(r",|\b(?:but|and|so|although|though|yet (?=your|you|it|the)|because|since|while)\b"),
    ),
    "es": OutcomeWords(
        done=re.compile(
            r"(?<!que )\bse (?:le |les )?(?:ha |han )?(?:cobr(?:[óo]|aron|ado)|carg(?:[óo]|aron|ado)|realiz(?:[óo]|aron|ado)|aprob(?:[óo]|aron|ado)|acept(?:[óo]|aron|ado)|proces(?:[óo]|aron|ado)|complet(?:[óo]|aron|ado)|pag(?:[óo]|aron|ado)|hizo|efectu[óo]|concret[óo]|autoriz[óo])\b"
            r"|\b(?:fue|fueron|ha sido|han sido|qued[óo]|quedaron|queda|est[áa]|es) (?:ya )?(?:cobrad|cargad|aprobad|aceptad|realizad|pagad|procesad|complet|completad|autorizad|exitos|confirmad|hech)[oa]s?\b|(?<!lo que )(?<!que )\b(?:usted )?(?:ha pagado|pagó)\b|\b(?:cobramos|cargamos|recibimos|hemos cobrado|hemos recibido)\b|\b(?:banco|emisor) (?:ya )?(?:aprob[óo]|acept[óo]|autoriz[óo])\b|\bgracias por (?:su|el|este) (?:\w+ )?(?:pago|compra|donativo)\b|\bgracias por pagar\b|^\W*(?:pagad[oa]|aprobad[oa]|cobrad[oa]|listo|éxito)\b|"
            + _said_of(
                _PAYMENT_ES,
                _BARE_ES,
                "(?:exitos|aprobad|aceptad|realizad|confirmad|completad|recibid|procesad|autorizad|hech)[oa]",
            )
            + r"|(?<!si )\bpas[óo] (?:su|el) pago\b|\bpago (?:ya )?pas[óo]\b",
            _I,
        ),
        undone=re.compile(
            r"\b(?:no|nunca|nada|ning[úu]n(?: pago| cargo| cobro)?|sin)\b(?! (?:m[áa]s|necesita|hace falta)\b)[^,]{0,40}?\b(?:cobr(?:ad[oa]s?|[óo]|aron|ar(?:le)?)|carg(?:ad[oa]s?|[óo]|aron|ar)|pagad[oa]s?|pagó|realiz(?:ad[oa]s?|[óo]|ar)|aprob(?:ad[oa]s?|[óo]|aron)|acept(?:ad[oa]s?|[óo]|aron)|hizo|efectu[óo]|concret[óo]|complet(?:[óo]|ad[oa]s?|ar)|proces(?:[óo]|ar|ad[oa]s?)|pas[óo])(?!\w)(?! (?:otra vez|de nuevo|nada m[áa]s))"
            r"|\b(?:fue|fueron|ha sido|han sido|qued[óo]|queda|est[áa]) (?:rechazad|cancelad|anulad|devuelt|reembolsad|declinad|deshech|negad)[oa]s?\b|\b(?:rechaz[óo]|neg[óo]|declin[óo]|cancel[óo]|anul[óo]|reembols[óo]|devolvi[óo])(?!\w)|\bfall[óo]\b|\bsin (?:cobro|cargo|cobrar)\b|"
            + _said_of(
                _PAYMENT_ES,
                _BARE_ES,
                "(?:rechazad|declinad|cancelad|anulad|negad|devuelt|reembolsad|fallid|no (?:aprobad|aceptad|realizad|cobrad))[oa]",
            ),
            _I,
        ),
        open=re.compile(
            r"\bpendiente\b|\bno (?:sabemos|se sabe|podemos (?:decir|saber)|es seguro|est[áa] claro)\b|\ben (?:tr[áa]mite|proceso|curso)\b|\bse (?:le )?(?:cobrar|cargar)[áa]n?\b|\bmañana\b|\bestá siendo\b|\btodav[íi]a no\b",
            _I,
        ),
        goes_on=re.compile(
            r"\bno (?:se )?(?:est[áa](?:mos|n)? )?(?:deshaciendo|devolviendo|anulando|deshace|devuelve|anula)\b", _I
        ),
        owed=re.compile(
            r"(?<!no )\b(?:todav[íi]a |a[úu]n )?debe\b(?! nada)|(?<!no )\b(?:falta|faltan|queda|quedan) (?:algo |una parte )?por pagar\b|(?<!no )\btiene (?:un )?saldo\b|\best[áa] vencid[oa]\b|\bpor favor pague\b|(?<!no )\b(?:todav[íi]a |a[úu]n )?(?:tiene que|debe|necesita|le falta) (?:todav[íi]a |a[úu]n )?pagar\b|(?<!no )\b(?:hay|tiene|queda) (?:un |una |su |alg[úu]n )?(?:saldo|adeudo|recibo|factura|deuda)(?: pendiente| abiert[oa]| por pagar| vencid[oa])?\b|\b(?:su |el |la )(?:recibo|factura|cuenta|saldo) (?:sigue|est[áa]) (?:pendiente|abiert[oa]|sin pagar|por pagar)\b",
            _I,
        ),
        settled=re.compile(
            r"\b(?:no (?:le )?(?:falta|queda|debe) nada|nada (?:m[áa]s )?por pagar)\b|\bno (?:tiene que|necesita|debe|hace falta|hay que) pagar (?:m[áa]s|nada|otra vez|de nuevo)\b|\bya no (?:tiene que|necesita) pagar\b|\b(?:su |la |el )(?:cuenta|factura|recibo|saldo|deuda) (?:ya )?(?:est[áa]|qued[óo]) (?:ya )?(?:pagad|saldad|liquidad|cubiert)[oa](?!\w)",
            _I,
        ),
        at_bank=re.compile(
            r"\b(?:su |el )banco (?:ya )?(?:tiene|recibi[óo]|est[áa] (?:procesando|revisando|trabajando en|tramitando)) (?:su|el|la) (?:pago|cargo|dinero|solicitud|orden)\b|\b(?:su |el )(?:pago|cargo|dinero) (?:ya )?(?:est[áa] en|lleg[óo] a|est[áa] con) (?:su |el |el de su )?banco\b|\b(?:su |el )(?:pago|cargo) (?:est[áa] en (?:camino|proceso|tr[áa]mite|curso)|se (?:har[áa]|procesar[áa]|realizar[áa]|cobrar[áa]))(?!\w)",
            _I,
        ),
        pay_again=re.compile(
            r"\b(?:puede|debe|podr[íi]a|tiene que|es seguro|conviene|por favor|simplemente) (?:ya |simplemente |por favor )?(?:pagar|pague|intentar|intente|intentarlo|int[ée]ntelo|volver a pagar|vuelva a pagar|volver a intentar(?:lo)?|repetir|repita)(?: \w+){0,3}?(?: (?:otra vez|de nuevo|nuevamente|ahora|una vez m[áa]s|sin (?:miedo|problema|riesgo))|\W*$)"
            r"|\b(?:puede|debe|es seguro|conviene|por favor) (?:ya )?(?:volver a pagar|vuelva a pagar)\b|^\W*(?:pague|intente|int[ée]ntelo|vuelva a pagar)(?: \w+){0,3}? ?(?:otra vez|de nuevo|nuevamente|ahora|una vez m[áa]s)\b",
            _I,
        ),
        denies=re.compile(r"\b(?:no|nunca|nada|ning[úu]n[oa]?|sin|ni|tampoco|nadie)\b", _I),
        supposes=re.compile(
            r"\b(?:si|antes|hasta|a menos|cuando|una vez|en caso|despu[ée]s|solo|sólo|c[óo]mo|para|resultado|mientras)\b",
            _I,
        ),
        clause=re.compile(r",|\b(?:pero|y|as[íi] que|aunque|porque|sino)\b"),
    ),
}
_NEVER = re.compile(r"(?!)")
_TAKEN_FR = r"(?:d[ée]bit|pr[ée]lev|factur|pay|accept|approuv|autoris|effectu|valid|encaiss|confirm|trait)[ée]e?s?"
_PAYMENT_FR = r"(?:paiement|r[èe]glement|transaction|achat|don|carte)"
_TAKEN_DE = r"(?:belastet|abgebucht|eingezogen|bezahlt|angenommen|genehmigt|best[äa]tigt|durchgef[üu]hrt|verarbeitet|gebucht|autorisiert|abgeschlossen|ausgef[üu]hrt)"
_PAYMENT_DE = r"(?:zahlung|bezahlung|abbuchung|spende|transaktion|karte)"
# Of these languages only that something was charged, and that it was not: other outcomes are left to a speaker.
_SOME_READ = {
    "fr": OutcomeWords(
        done=re.compile(
            rf"\b(?:a|ont|est|sont) (?:bien |d[ée]j[àa] |maintenant )*(?:[ée]t[ée] )?(?:bien )?(?:{_TAKEN_FR}|r[ée]ussi|abouti|pass[ée]|re[çc]ue?)(?!\w)"
            rf"|{_said_of(_PAYMENT_FR, _BARE_FR, f'(?:r[ée]ussi|re[çc]u|termin[ée]|{_TAKEN_FR})e?')}|^\W*(?:r[ée]ussi|pay[ée]|accept[ée]|d[ée]bit[ée])e?(?!\w)"
            rf"|\bmerci (?:beaucoup )?(?:de|pour) (?:votre|ce|le) {_PAYMENT_FR}\b|\bmerci d['’]avoir pay[ée]|\b(?:nous|vous) avons? (?:bien )?(?:{_TAKEN_FR}|re[çc]u)|\bvous avez (?:bien )?pay[ée]",
            _I,
        ),
        undone=re.compile(
            rf"(?:\bn['’]|\bne |\bpas |\baucune? |\brien |\bsans )[^,]{{0,45}}?(?:{_TAKEN_FR}|abouti|r[ée]ussi|d[ée]biter|pr[ée]lever)(?!\w)"
            r"|\b(?:refus|rejet|annul|rembours|d[ée]clin|[ée]chou)[ée]e?s?(?!\w)|\b[ée]chec\b",
            _I,
        ),
        **dict.fromkeys(("open", "goes_on", "owed", "settled", "at_bank", "pay_again"), _NEVER),
        denies=re.compile(r"\b(?:ne|pas|jamais|rien|aucune?|sans|ni|personne)\b|\bn['’]", _I),
        supposes=re.compile(
            r"\b(?:si|avant|jusqu|sauf|quand|lorsque|une fois|apr[èe]s|seulement|comment|r[ée]sultat|peut-[êe]tre)\b|\bs['’]il",
            _I,
        ),
        clause=re.compile(r",|\b(?:mais|et|donc|bien que|parce que|car|puisque)\b"),
    ),
    "de": OutcomeWords(
        done=re.compile(
            rf"\b(?:wurden?|ist|sind|war|worden)\b[^,]{{0,40}}?\b(?:{_TAKEN_DE}|erfolgreich|erfolgt|erhalten|eingegangen|angekommen)\b|\b{_PAYMENT_DE} (?:erfolgreich|erhalten|erledigt|{_TAKEN_DE})\b"
            rf"|^\W*(?:bezahlt|erfolgreich|genehmigt|angenommen)\b|\bdank f[üu]r (?:ihre|ihren|die|den) (?:zahlung|spende|kauf|einkauf|bezahlung)\b|\b(?:wir|sie|bank) (?:haben|hat)\b[^,]{{0,40}}?\b(?:{_TAKEN_DE}|erhalten)\b",
            _I,
        ),
        undone=re.compile(
            rf"\b(?:nicht|nichts|kein\w*|nie|ohne)\b[^,]{{0,45}}?\b(?:{_TAKEN_DE}|erfolgreich|erfolgt|erhalten)\b"
            r"|\b(?:abgelehnt|zur[üu]ckgewiesen|storniert|erstattet|fehlgeschlagen|gescheitert|verweigert|r[üu]ckg[äa]ngig|unbezahlt)\b",
            _I,
        ),
        **dict.fromkeys(("open", "goes_on", "owed", "settled", "at_bank", "pay_again"), _NEVER),
        denies=re.compile(r"\b(?:nicht|nichts|kein\w*|nie|niemals|ohne|weder|niemand)\b", _I),
        supposes=re.compile(
            r"\b(?:wenn|ob|falls|bevor|bis|sobald|nachdem|nur|wie|ergebnis|vielleicht|m[öo]glicherweise|um|damit|erst)\b",
            _I,
        ),
        clause=re.compile(r",|\b(?:aber|und|also|obwohl|weil|denn|sondern)\b"),
    ),
}
# What puts an invitation to pay off, or under a condition: "before you pay again", "once the bank has answered".
_PUT_OFF = re.compile(
    r"\b(?:if|whether|before|until|till|unless|when|whenever|as soon as|after|once(?! more\b)|only|in case|si|antes|hasta|a menos|cuando|una vez(?! m[áa]s)|despu[ée]s|solo|sólo)\b",
    _I,
)
# Of something that is to be paid: what makes it another case than the one in which the prompt is said.
_IN_A_CASE = re.compile(
    r"\b(?:if|whether|unless|when|whenever|as soon as|(?:before|until|after|once) (?:you|we|the bank|your bank|it|this)|how|what|next|si|a menos|cuando|una vez que|antes de que|hasta que|pr[óo]xim[oa])\b",
    _I,
)
_CAREFREE = re.compile(
    r"\b(?:without (?:any )?(?:worry|worries|risk|fear|danger|problem)s?|no (?:worries|problem|risk)|sin (?:miedo|problemas?|riesgo|cuidado))\b",
    _I,
)
_THOUGHT = re.compile(r",|\b(?:but|so|although|though|because|since|while|pero|as[íi] que|aunque|porque|sino)\b", _I)
_YET = re.compile(r"\b(?:yet|todav[íi]a|a[úu]n)\b", _I)
# Of another case than that something is paid: a condition, or what is left to pay.
_NOT_OF_WHAT_IS_PAID = re.compile(r"\b(?:if|whether|unless|rest|remainder|si|resto)\b", _I)
# What "para terminar" goes on with stands in the subjunctive; in English both are one form.
_TO_BE_FREE = re.compile(
    r"\b(?:sin que|no)\b[^,]{0,25}?\b(?:cobren?|carguen?)\b(?! (?:nada )?(?:m[áa]s|otra vez|de nuevo)\b)", _I
)
_CHARGED, _NOT_CHARGED, _NOT_KNOWN, _BEING_UNDONE, _ALL_PAID = (
    "charged",
    "not charged",
    "not known",
    "undone",
    "paid up",
)
# What is on record when each of them is said.
_ON_RECORD: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "you_were_charged",
            "you_were_charged_in_total",
            "payment_went_through",
            "confirmation_number",
            "part_approved",
        ),
        _CHARGED,
    ),
    **dict.fromkeys(("receipt_sms", "receipt_email", "receipt_email_subject", "result_paid_sms"), _CHARGED),
    **dict.fromkeys(
        ("you_were_not_charged", "card_declined", "bank_not_reached", "bank_did_not_answer", "cancelled"), _NOT_CHARGED
    ),
    **dict.fromkeys(("result_unpaid_sms", "cards_not_taken_now"), _NOT_CHARGED),
    **dict.fromkeys(
        ("charge_not_known", "we_will_text_the_result", "call_again_for_the_result", "another_payment_pending"),
        _NOT_KNOWN,
    ),
    "payment_in_progress": _NOT_KNOWN,
    **dict.fromkeys(("parts_taken_back", "part_being_undone"), _BEING_UNDONE),
    **dict.fromkeys(("nothing_due", "paid_in_full"), _ALL_PAID),
}
OUTCOME_PROMPTS = frozenset(_ON_RECORD)
_MEANING = {
    _CHARGED: "it is said once the card was charged",
    _NOT_CHARGED: "it is said where nothing was charged",
    _NOT_KNOWN: "it is said while nobody knows whether the card was charged",
    _BEING_UNDONE: "it is said while what was charged is given back",
    _ALL_PAID: "it is said where nothing is to be paid",
}


def when_said(prompt: str) -> str:
    return _MEANING[_ON_RECORD[prompt]]


def against_the_record(prompt: str, text: str, language: str) -> str:
    """The clause that says otherwise; "" where none does. `text`: the prompt's prose."""
    words = _words(language)
    if words is None or prompt not in _ON_RECORD:
        return ""
    return next(_against(_ON_RECORD[prompt], text, words), "")


def against_the_way(text: str, language: str, *, is_charged: bool) -> str:
    """The clause of a merchant's own words that says otherwise than the way to them: "" where none does. `is_charged`: whether every
    way there has a charge, or none has. `text`: the prompt's prose."""
    words = _words(language)
    return "" if words is None else next(_against(_CHARGED if is_charged else _NOT_CHARGED, text, words), "")


def nothing_charged(text: str, language: str) -> str:
    """The clause of an offer that says that nothing is charged, or that what was is given back; "" where none does. `text`: the
    prompt's prose. An offer's words are of what follows: "to stop" supposes nothing."""
    words = _READ.get(own_language(language))
    if words is None:
        return ""
    clauses = (clause for sentence in _SENTENCE.findall(text) for clause in words.clause.split(sentence))
    said = (one for one in clauses if words.undone.search(one) or _TO_BE_FREE.search(one))
    return next(
        (one.strip(" …,") for one in said if not _NOT_OF_WHAT_IS_PAID.search(one) and not words.goes_on.search(one)), ""
    )


def is_outcome_read(language: str) -> bool:
    """Whether every kind of outcome is told from the others in this language."""
    return own_language(language) in _READ


def _words(language: str) -> OutcomeWords | None:
    own = own_language(language)
    return _READ.get(own) or _SOME_READ.get(own)


def _against(record: str, text: str, words: OutcomeWords) -> Iterator[str]:
    for sentence in _SENTENCE.findall(text):
        for clause in words.clause.split(sentence):
            if _contradicts(record, clause, words, words.supposes.search(clause) is not None):
                yield clause.strip(" …,")
        # "Go ahead and pay" is one thought.
        for thought in _THOUGHT.split(sentence) if record == _NOT_KNOWN else ():
            if _invites(thought, words):
                yield thought.strip(" …,")


def _invites(thought: str, words: OutcomeWords) -> bool:
    said = _CAREFREE.sub(" ", thought)
    return bool(words.pay_again.search(thought)) and not words.denies.search(said) and not _PUT_OFF.search(said)


def _contradicts(record: str, clause: str, words: OutcomeWords, supposed: bool) -> bool:
    if record == _ALL_PAID:
        return (
            words.owed.search(clause) is not None and not words.denies.search(clause) and not _IN_A_CASE.search(clause)
        )
    denied = words.denies.search(clause) is not None
    if record == _NOT_CHARGED and not supposed and (words.settled.search(clause) or _is_at_bank(clause, words)):
        return True
    if record == _BEING_UNDONE and words.goes_on.search(clause):
        return True
    is_open = words.open.search(clause) is not None
    if record == _CHARGED and is_open and not supposed:
        return True
    if record == _CHARGED and re.search(r"\b(?:whether|know|sabemos)\b", clause, _I) and is_open:
        return True
    if record == _NOT_KNOWN and _YET.search(clause):
        return False
    if supposed or (is_open and record != _NOT_CHARGED):
        return False
    is_undone = words.undone.search(clause) is not None
    is_done = words.done.search(clause) is not None and not denied and not is_undone
    return (is_undone and record in (_CHARGED, _NOT_KNOWN)) or (is_done and record != _CHARGED)


def _is_at_bank(clause: str, words: OutcomeWords) -> bool:
    return words.at_bank.search(clause) is not None and not words.denies.search(clause)
