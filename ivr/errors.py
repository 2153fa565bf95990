"""Errors named for who is at fault; outcomes (a wrong key, a declined card) are values, not errors."""


class IvrError(Exception):
    """Someone broke a contract. The message names the place and the cure, and never contains a key a caller pressed."""


class FlowError(IvrError):
    """The author of a flow or a prompt file: what is wrong, where, and what would be right."""


class PeerError(IvrError):
    """The phone network: a webhook, a SIP message or a media packet that is not what was agreed."""


class ConfigError(IvrError):
    """The operator: a setting, a key file or a certificate that is missing or wrong."""


class RecordError(IvrError):
    """What is on record, of a call or of a flow's versions, does not give what was asked for; nothing was changed."""
