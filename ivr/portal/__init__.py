"""The portal: where merchants, support, operators and auditors sign in, behind a second factor and roles.

It has a listener of its own (PORTAL_PORT). Every request passes `guard`: from an allowed network, to our own name, by a
form of ours, by somebody whose role may (`roles` is the one table). Signing in is in `signing_in` and `passkeys`, what is
kept of it in `ivr.store.portal_users` and `portal_sessions`; the pages read the store, and change it only through `modifications`.
"""

from ivr.portal.api import OPERATIONS, api, description
from ivr.portal.application import add_errors, create_portal
from ivr.portal.credentials import digest_of, new_secret, new_token, portal_key, renew_portal_key
from ivr.portal.finding import Finder
from ivr.portal.flow_drafts import FlowEditing
from ivr.portal.identity_provider import provider_of
from ivr.portal.modifications import Asker
from ivr.portal.pages import Pages
from ivr.portal.publishing import Publisher
from ivr.portal.roles import MEANINGS, NEEDS, PERMISSIONS, ROLES, is_within, may
from ivr.portal.signing_in import SignIn
from ivr.portal.site import PortalSite, site_of
from ivr.portal.views import portal

__all__ = [
    "MEANINGS",
    "NEEDS",
    "OPERATIONS",
    "PERMISSIONS",
    "ROLES",
    "Asker",
    "Finder",
    "FlowEditing",
    "Pages",
    "PortalSite",
    "Publisher",
    "SignIn",
    "add_errors",
    "api",
    "create_portal",
    "description",
    "digest_of",
    "is_within",
    "may",
    "new_secret",
    "new_token",
    "portal",
    "portal_key",
    "provider_of",
    "renew_portal_key",
    "site_of",
]
