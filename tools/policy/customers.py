"""The rules of what can be done to a customer's own record."""

from tools.policy.common import Always, ChangesADay
from tools.policy.rule import Section


class DetailsRules(Section):
    at_request: Always
    daily_count: ChangesADay


class LinkRules(Section):
    at_request: Always
    daily_count: ChangesADay
