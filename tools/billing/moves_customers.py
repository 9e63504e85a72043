"""Writes to customers that move no money."""

from typing import TYPE_CHECKING

from tools.billing.powers import Address, BillingDetails, PortalFlow, PortalLink
from tools.billing.translate import customer_of
from tools.billing.types import Customer
from tools.billing.writer import Writer, by, checked, under
from tools.errors import BillingRefused, OutcomeUnknown

if TYPE_CHECKING:
    from stripe.params import CustomerUpdateParams, CustomerUpdateParamsAddress
    from stripe.params.billing_portal import SessionCreateParamsFlowData


class CustomerMoves(Writer):
    async def update_billing_details(
        self, *, customer: str, details: BillingDetails, action_id: str, idempotency_key: str
    ) -> Customer:
        async with self._turns.of(customer):
            if (tax_id := details.tax_id) is not None:
                await self._retry.write(
                    lambda: self._v1.customers.tax_ids.create_async(
                        checked(customer),
                        {"type": tax_id.kind, "value": tax_id.value},
                        under(idempotency_key, "tax_id"),
                    )
                )
            params = _details(details, action_id)
            send = self._send if tax_id is None else self._send_next
            try:
                return await send(
                    lambda: self._v1.customers.update_async(checked(customer), params, under(idempotency_key)),
                    customer_of,
                )
            except BillingRefused as error:
                if tax_id is None:
                    raise
                # The tax id is there already. Taken back, a repeat under the same key would not make it again.
                raise OutcomeUnknown from error

    async def portal_link(
        self, *, customer: str, flow: PortalFlow, subscription: str | None = None, return_url: str, idempotency_key: str
    ) -> PortalLink:
        flow_data = _flow(flow, subscription)
        return await self._write(
            customer,
            lambda: self._v1.billing_portal.sessions.create_async(
                {"customer": checked(customer), "return_url": return_url, "flow_data": flow_data},
                under(idempotency_key),
            ),
            lambda raw: PortalLink(url=str(raw["url"])),
        )


def _details(details: BillingDetails, action_id: str) -> "CustomerUpdateParams":
    params: CustomerUpdateParams = {"metadata": by(action_id, "update_billing_details")}
    if details.name is not None:
        params["name"] = details.name
    if details.email is not None:
        params["email"] = details.email
    if details.address is not None:
        params["address"] = _address(details.address)
    return params


def _address(address: Address) -> "CustomerUpdateParamsAddress":
    """Whole: Stripe keeps the parts of an address that are not sent."""
    return {
        "line1": address.line1,
        "line2": address.line2,
        "postal_code": address.postal_code,
        "city": address.city,
        "state": address.state,
        "country": address.country,
    }


def _flow(flow: PortalFlow, subscription: str | None) -> "SessionCreateParamsFlowData":
    if flow == "payment_method_update":
        return {"type": flow}
    if subscription is None:
        raise BillingRefused(reason="parameter_missing")
    if flow == "subscription_cancel":
        return {"type": flow, "subscription_cancel": {"subscription": checked(subscription)}}
    return {"type": flow, "subscription_update": {"subscription": checked(subscription)}}
