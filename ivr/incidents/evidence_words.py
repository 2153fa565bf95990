"""What the archive says of itself to whoever opens it first."""

README = """Evidence of a telephone payment line, made by tonetill.

manifest.json           what is here, of which days, by whom; whether the audit trail was whole
SHA256SUMS              check every file: sha256sum -c SHA256SUMS
manifest.sig            signature of manifest.json (Ed25519, base64) by the line's audit key;
audit_public.pem        its public half: compare it with the one that you were given at another time
audit/trail.jsonl       the audit trail from its beginning: who did what
audit/verification.json what the database said of it; `digest` of event n is the SHA-256, in hexadecimal, of the text
                        <digest of event n-1, or 64 zeros><JSON of [id, at_ms, who, what, about], as Python's json.dumps writes it>
calls/                  calls that began in these days (UTC): what happened turn by turn, charges, what happened to money
flows/                  every version of every flow, with its digest; a call's `version` is one of them
configuration/          settings and banks, without secrets; keys by name, validity and fingerprint
alerts.jsonl            what was wrong, since when until when
stops.jsonl             where no cards are taken now

There is no card number in it: of a card the brand and the last four digits are on record. `taken_out` in the manifest counts
lines in which something looked like one all the same; it was replaced by [scrubbed].

All of it is checked by:  tonetill evidence --check FILE --key KEY
KEY: the audit_public.pem that you were given, or VAR/keys/audit_public.pem where the line is. The one in here shows nothing.
"""
