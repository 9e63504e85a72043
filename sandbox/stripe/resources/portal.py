"""The billing portal: short-lived links to a page on which customers help themselves."""

import secrets
from urllib.parse import urlsplit

from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure, missing
from sandbox.stripe.params import (
    Field,
    Raw,
    choice,
    fields,
    flag,
    group,
    integer,
    many,
    merged_metadata,
    metadata,
    text,
)
from sandbox.stripe.resource import Call, Filter, Resource, Route
from sandbox.stripe.resources import changing, collecting
from sandbox.stripe.resources.customers import live_customer
from sandbox.stripe.world import World

SESSION_SECONDS = 3600
LOCALES = ("auto", "da", "de", "en", "en-GB", "es", "fi", "fr", "it", "ja", "nl", "pl", "pt", "sv", "zh")
FLOWS = {
    "payment_method_update": None,
    "subscription_cancel": "subscription_cancel",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update_confirm",
}
"""Type of a flow to the hash that it needs."""
REASONS = (
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
)


def web_address(*, required: bool = False) -> Field:
    def read(value: Raw, name: str) -> str | None:
        plain: str | None = text().read(value, name)
        if plain and (urlsplit(plain).scheme not in {"http", "https"} or not urlsplit(plain).netloc):
            raise ValidationFailure("Not a valid URL", code="url_invalid", param=name)
        return plain

    return Field(read, required)


def session_by_token(world: World, token: str) -> Json | None:
    """While it lives."""
    session = next(iter(world.of("billing_portal.session", "_token", token)), None)
    return session if session and world.now() < session["created"] + SESSION_SECONDS else None


def _create_session(call: Call) -> Json:
    world, params = call.world, call.params
    customer = live_customer(world, params["customer"])
    chosen = params.get("configuration")
    configuration = (
        world.get("billing_portal.configuration", chosen, param="configuration") if chosen else _default(world)
    )
    flow = _flow(world, customer, params["flow_data"]) if params.get("flow_data") else None
    # A bearer link, so its token must not follow from the seed.
    token = secrets.token_urlsafe(24)
    return world.add(
        "billing_portal.session",
        "bps",
        after_expiration=None,
        configuration=configuration["id"],
        customer=customer["id"],
        customer_account=None,
        flow=flow,
        locale=params.get("locale"),
        on_behalf_of=None,
        return_url=params.get("return_url") or configuration["default_return_url"],
        url=f"{world.base_url}/_sandbox/portal/{token}",
        _token=token,
    )


def _flow(world: World, customer: Json, wanted: Json) -> Json:
    needed = FLOWS[wanted["type"]]
    if needed and not wanted.get(needed):
        raise missing(f"flow_data[{needed}]")
    for name in FLOWS.values():
        if name and name != needed and wanted.get(name):
            message = f"flow_data[{name}] cannot be used with the flow type {wanted['type']}."
            raise StripeFailure(message, param=f"flow_data[{name}]")
    if needed:
        _check_subscription(world, customer, needed, wanted[needed])
    flow: Json = dict.fromkeys(name for name in FLOWS.values() if name)
    after = wanted.get("after_completion") or {"type": "portal_homepage"}
    if after["type"] == "redirect" and not after.get("redirect"):
        raise missing("flow_data[after_completion][redirect]")
    after = {"hosted_confirmation": None, "redirect": None} | after
    if after["type"] == "hosted_confirmation":
        after["hosted_confirmation"] = {"custom_message": None} | (after["hosted_confirmation"] or {})
    flow |= {"type": wanted["type"], "after_completion": after}
    if needed:
        flow[needed] = _shown(needed, wanted[needed])
    return flow


def _shown(name: str, wanted: Json) -> Json:
    if name == "subscription_cancel":
        return {"retention": None} | wanted
    if name == "subscription_update_confirm":
        items = [{"id": None, "price": None, "quantity": None} | each for each in wanted["items"]]
        return wanted | {"discounts": None, "items": items}
    return wanted


def _check_subscription(world: World, customer: Json, name: str, wanted: Json) -> None:
    param = f"flow_data[{name}][subscription]"
    subscription = world.get("subscription", wanted["subscription"], param=param)
    if subscription["customer"] != customer["id"]:
        raise StripeFailure("The subscription does not belong to this customer.", param=param)
    if subscription["status"] in collecting.ENDED:
        raise StripeFailure("The subscription has already been canceled.", param=param)
    if name == "subscription_cancel" and subscription["cancel_at"] is not None:
        raise StripeFailure("The subscription is already set to be canceled.", param=param)
    if name == "subscription_update_confirm":
        if len(wanted["items"]) != 1:
            raise StripeFailure("Exactly one item can be updated.", param=f"flow_data[{name}][items]")
        changing.checked_items(world, wanted["items"], subscription)


def _default(world: World) -> Json:
    """The configuration that is used when none is named; made when it is first needed."""
    known = (each for each in world.objects.get("billing_portal.configuration", {}).values() if each["is_default"])
    return next(known, None) or _configuration(world, is_default=True)


def _configuration(world: World, *, is_default: bool, features: Json | None = None, **more: object) -> Json:
    details: Json = {"business_profile": {}, "default_return_url": None, "metadata": {}, "name": None} | more
    profile = {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None}
    details["business_profile"] = profile | (details["business_profile"] or {})
    made = world.add(
        "billing_portal.configuration",
        "bpc",
        active=True,
        application=None,
        features={name: standard | ((features or {}).get(name) or {}) for name, standard in FEATURES.items()},
        is_default=is_default,
        login_page={"enabled": False, "url": None},
        updated=world.now(),
        **details,
    )
    world.emit("billing_portal.configuration.created", made)
    return made


def _create_configuration(call: Call) -> Json:
    params = call.params
    given = {name: params[name] for name in ("business_profile", "default_return_url", "name") if params.get(name)}
    kept = merged_metadata({}, params.get("metadata"))
    return _configuration(call.world, is_default=False, features=params["features"], metadata=kept, **given)


FEATURES: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": True, "feedback_options": None, "options": list(REASONS)},
        "enabled": True,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": ["quantity"],
        "enabled": True,
        "products": None,
        "proration_behavior": "create_prorations",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
OF_SUBSCRIPTION = group(subscription=text(required=True))
CONFIRMED = group(
    items=many(group(id=text(required=True), price=text(), quantity=integer(least=0)), required=True),
    subscription=text(required=True),
)
FLOW = group(
    after_completion=group(
        hosted_confirmation=group(custom_message=text(longest=500)),
        redirect=group(return_url=web_address(required=True)),
        type=choice("hosted_confirmation", "portal_homepage", "redirect", required=True),
    ),
    subscription_cancel=OF_SUBSCRIPTION,
    subscription_update=OF_SUBSCRIPTION,
    subscription_update_confirm=CONFIRMED,
    type=choice(*FLOWS, required=True),
)
PORTAL_SESSIONS = Resource(
    kind="billing_portal.session",
    path="/v1/billing_portal/sessions",
    retrievable=False,
    references={"configuration": "billing_portal.configuration"},
    routes=(
        Route(
            "POST",
            "/v1/billing_portal/sessions",
            _create_session,
            fields(
                configuration=text(),
                customer=text(required=True),
                flow_data=FLOW,
                locale=choice(*LOCALES),
                return_url=web_address(),
            ),
        ),
    ),
)
PORTAL_CONFIGURATIONS = Resource(
    kind="billing_portal.configuration",
    path="/v1/billing_portal/configurations",
    dated=False,
    filters={"active": Filter(flag()), "is_default": Filter(flag())},
    routes=(
        Route(
            "POST",
            "/v1/billing_portal/configurations",
            _create_configuration,
            fields(
                business_profile=group(
                    headline=text(longest=60), privacy_policy_url=web_address(), terms_of_service_url=web_address()
                ),
                default_return_url=web_address(),
                features=group(
                    required=True,
                    invoice_history=group(enabled=flag()),
                    payment_method_update=group(enabled=flag()),
                    subscription_cancel=group(enabled=flag(), mode=choice("at_period_end", "immediately")),
                    subscription_update=group(enabled=flag()),
                ),
                metadata=metadata(),
                name=text(),
            ),
        ),
    ),
)
