"""The address at which banks tell things by themselves: `POST /banks/<name>/notifications`."""

from datetime import UTC, datetime

import structlog
from flask import Blueprint, Response, request

from ivr.calls.bank_news import BankNewsIntake
from ivr.errors import ConfigError, PeerError
from ivr.logs import fault_name
from ivr.store import DatabaseError, TooEarly

log = structlog.get_logger()
ACCEPTED = "[accepted]"  # the word that Adyen's older notifications want; newer ones go by the status


def bank_news_blueprint(intake: BankNewsIntake) -> Blueprint:
    """200 once it is on disk; whatever else is said, the bank tells it again."""
    blueprint = Blueprint("bank_news", __name__)

    @blueprint.post("/banks/<name>/notifications")
    def take(name: str) -> Response:
        try:
            intake.take(name, request.get_data(), datetime.now(UTC), dict(request.headers))
        except KeyError:
            return Response("no such bank", 404)
        except PeerError as error:
            log.warning("notification refused", bank=name, reason=str(error))
            return Response("refused", 403)
        except ConfigError as error:
            log.error("notification cannot be checked", bank=name, reason=str(error))
            return Response("not now", 503)
        except TooEarly:
            return Response("not yet", 503)
        except DatabaseError as error:
            log.error("notification not kept", bank=name, reason=fault_name(error))
            return Response("not now", 503)
        return Response(ACCEPTED)

    return blueprint
