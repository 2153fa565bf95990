"""ISO 4217: currencies by their three digits, as field 49 has them."""

NUMBERS = {
    "AED": "784", "ALL": "008", "AMD": "051", "ARS": "032", "AUD": "036", "AZN": "944", "BAM": "977", "BBD": "052",
    "BDT": "050", "BHD": "048", "BMD": "060", "BND": "096", "BOB": "068", "BRL": "986", "BSD": "044", "BWP": "072",
    "BYN": "933", "BZD": "084", "CAD": "124", "CHF": "756", "CLP": "152", "CNY": "156", "COP": "170", "CRC": "188",
    "CZK": "203", "DKK": "208", "DOP": "214", "DZD": "012", "EGP": "818", "EUR": "978", "FJD": "242", "GBP": "826",
    "GEL": "981", "GHS": "936", "GTQ": "320", "GYD": "328", "HKD": "344", "HNL": "340", "HUF": "348", "IDR": "360",
    "ILS": "376", "INR": "356", "ISK": "352", "JMD": "388", "JOD": "400", "JPY": "392", "KES": "404", "KHR": "116",
    "KRW": "410", "KWD": "414", "KYD": "136", "KZT": "398", "LBP": "422", "LKR": "144", "MAD": "504", "MDL": "498",
    "MKD": "807", "MNT": "496", "MOP": "446", "MUR": "480", "MXN": "484", "MYR": "458", "NAD": "516", "NGN": "566",
    "NIO": "558", "NOK": "578", "NPR": "524", "NZD": "554", "OMR": "512", "PAB": "590", "PEN": "604", "PGK": "598",
    "PHP": "608", "PKR": "586", "PLN": "985", "PYG": "600", "QAR": "634", "RON": "946", "RSD": "941", "RUB": "643",
    "SAR": "682", "SEK": "752", "SGD": "702", "THB": "764", "TND": "788", "TRY": "949", "TTD": "780", "TWD": "901",
    "TZS": "834", "UAH": "980", "UGX": "800", "USD": "840", "UYU": "858", "UZS": "860", "VND": "704", "XAF": "950",
    "XCD": "951", "XOF": "952", "XPF": "953", "ZAR": "710", "ZMW": "967",
}  # fmt: skip
NAMES = {number: name for name, number in NUMBERS.items()}
