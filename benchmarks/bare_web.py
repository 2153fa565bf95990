"""The peer of `bench_web`: a bare Flask endpoint on the same server that returns the same TwiML and does nothing else."""

from flask import Flask, Response

TWIML = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Gather input="dtmf" action="/twilio/voice/pay-a-bill?seq=2&amp;'
    'n=10&amp;done=%23&amp;clear=%2A&amp;gap=6&amp;more=6" method="POST" timeout="6" numDigits="10" finishOnKey="#" actionOnEmptyResult="true">'
    '<Say language="en-US">Enter your account number.</Say></Gather></Response>'
)


def create_app() -> Flask:
    app = Flask(__name__, static_folder=None)

    @app.post("/<path:path>")
    def answer(path: str) -> Response:
        return Response(TWIML, mimetype="text/xml")

    return app
