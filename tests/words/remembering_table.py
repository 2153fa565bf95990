"""What asks a caller whether they may be remembered: what key 1 agrees to, honestly said, and what it is not."""

REMEMBERS_EN = [
    "May we remember your language and your account ending in {account_end:digits} for next time? For yes, press 1. For no, press 2.",
    "Would you like us to remember your language for your next call? For yes, press 1.",
    "To have your language and account ending in {account_end:digits} remembered, press 1. If not, press 2.",
    "Shall we save your account ending in {account_end:digits} for the next time you call? Yes: press 1. No: press 2.",
    "If you want us to remember your language by this number, press 1. If you do not, press 2.",
    "Press 1 to let us keep your language for the next time you call. Press 2 if you do not want that.",
    "We can remember your account number, ending in {account_end:digits}. To agree, press 1. If not, press 2.",
    "Do you want us to keep your choice of language for your next call? Press 1 for yes, 2 for no.",
    "So that you need not key it in again, we can store your account ending in {account_end:digits}. To allow it, press 1. To skip, press 2.",
]
REFUSES_EN = [
    "To have your language remembered, press 2. To go on, press 1.",
    "To have your language and account forgotten, press 1. Otherwise, press 2.",
    "Shall we forget your language? For yes, press 1. For no, press 2.",
    "May we remember your language? For no, press 1. For yes, press 2.",
    "To pay from your account {account_end:digits}, press 1. If not, press 2.",
    "We remember your language unless you press 1.",
    "Your language is English. To agree, press 1.",
    "Do you want us not to remember your account {account_end:digits}? For yes, press 1.",
    "If you do not want us to keep your language, press 1. Otherwise, press 2.",
    "Your account is {account_end:digits}. To hear it again, press 1.",
    "We store your language. To use another language, press 1. To agree, press 2.",
    "To allow a charge every month to the account {account_end:digits} that we keep, press 1.",
]
REMEMBERS_ES = [
    "¿Podemos recordar su idioma para su próxima llamada? Para sí, oprima 1. Para no, oprima 2.",
    "Para que recordemos su idioma y su cuenta que termina en {account_end:digits}, oprima 1. Si no, oprima 2.",
    "¿Desea que guardemos su idioma para la próxima vez? Sí: oprima 1. No: oprima 2.",
    "Si quiere que recordemos su cuenta {account_end:digits}, oprima 1. Si no quiere, oprima 2.",
    "Podemos guardar su número de cuenta, que termina en {account_end:digits}. Para aceptar, oprima 1. Si no, oprima 2.",
]
REFUSES_ES = [
    "Para que olvidemos su idioma, oprima 1. De lo contrario, oprima 2.",
    "¿Podemos recordar su idioma? Para no, oprima 1. Para sí, oprima 2.",
    "Su idioma es el español. Para aceptar, oprima 1.",
    "Para pagar desde su cuenta {account_end:digits}, oprima 1. Si no, oprima 2.",
]
