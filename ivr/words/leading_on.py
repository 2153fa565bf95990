"""What follows "continue" or "confirm" and makes it something else than consent: patterns that stand behind the verb."""

# "Continue" by itself goes on to the charge that has just been read back. What leads on to something else agrees to nothing.
ON_TO_EN = (
    "(?!\\s+(?:on\\s+)?(?:to|into|toward|towards|for|with|without|in|at|from|until|after|through)\\b"
    "(?!\\s+(?:pay(?:ing)?|be charged|(?:make|making|complete|finish|submit|authori[sz]e)\\b.*"
    "|(?:(?:the|your|this|my|a|full|final)\\s+)*(?:payment|purchase|transaction|donation|charge))\\b"
    "(?!\\s+(?:information|details?|history|options?|methods?|menu|page|plans?|arrangements?|instructions?))"
    "|\\s+(?:this|your|the)\\s+(?:…\\s+)?card\\b))"
)
ON_TO_ES = (
    "(?!\\s+(?:a|al|hacia|hasta|con|sin|en|por|para)\\b"
    "(?!\\s+(?:pagar(?:l[oa]s?)?|(?:hacer|realizar|completar|autorizar|efectuar)\\b.*"
    "|(?:(?:el|la|su|este|esta|mi)\\s+)*(?:pago|compra|transacci[óo]n|donaci[óo]n|cobro|cargo))\\b"
    "(?!\\s+(?:anterior(?:es)?|pasados?))"
    "|\\s+(?:esta|su|la)\\s+tarjeta\\b))"
)
NO_BALANCE_EN = "(?!\\s+(?:(?:the|your|my|this|account|current|outstanding|bill)\\s+)*(?:balance|account)\\b)"
NO_BALANCE_ES = "(?!\\s+(?:(?:el|la|su|mi|este|esta)\\s+)*(?:saldo|cuenta)\\b)"
