"""Which of Twilio's voices speaks a language that it has no voice for (`<Say language>`, `<Pay language>`)."""

# Twilio knows these of English and Spanish; other languages are given as they are written in the flow.
_KNOWN = {
    "en": ("en-US", "en-GB", "en-AU", "en-CA", "en-IN", "en-IE", "en-NZ", "en-ZA"),
    "es": ("es-MX", "es-ES", "es-US"),
}


def twilio_language(tag: str) -> str:
    """es-419 and es-HN are spoken as es-MX, en-JM as en-US."""
    known = _KNOWN.get(tag.partition("-")[0])
    return tag if known is None or tag in known else known[0]
