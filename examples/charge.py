"""Charges: what is taken from a card, and what is given back."""

import logging
import time

from shop.http import GatewayError, post
from shop.models import Order, Receipt

LOG = logging.getLogger("shop.payments")
RETRIES = 3  # the gateway asks for no more than this
DECLINED = ("card_declined", "expired_card", "insufficient_funds")


class Charges:
    """All that the shop does with a card.

    One instance serves one shop. It keeps no card numbers: the gateway's token stands for a card, and a
    token that the gateway does not know any more is asked for again from the customer.
    """

    def __init__(self, gateway, clock=time.time):
        self.gateway = gateway
        self.clock = clock
        self.failed = {}

    def capture(self, order):
        """Take the money that was reserved for an order.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each order; a fourth one locks the card for a day.
        attempts = self.failed.get(order, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to capture")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/capture", {"order": order, "attempt": attempt})
            LOG.info("capture %s took %.3f s", order, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(order, None)
                return Receipt(order, answer.body["capture_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[order] = RETRIES
                break
            self.failed[order] = attempt + 1
        raise GatewayError(answer.status, f"capture refused: {answer.body.get('reason')}")

    def refund(self, order, cents):
        """Give money back, whole or in part.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each order; a fourth one locks the card for a day.
        attempts = self.failed.get(order, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to refund")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/refund", {"order": order, "attempt": attempt})
            LOG.info("refund %s took %.3f s", order, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(order, None)
                return Receipt(order, answer.body["refund_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[order] = RETRIES
                break
            self.failed[order] = attempt + 1
        raise GatewayError(answer.status, f"refund refused: {answer.body.get('reason')}")

    def void(self, order):
        """Release what was reserved and not taken.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each order; a fourth one locks the card for a day.
        attempts = self.failed.get(order, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to void")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/void", {"order": order, "attempt": attempt})
            LOG.info("void %s took %.3f s", order, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(order, None)
                return Receipt(order, answer.body["void_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[order] = RETRIES
                break
            self.failed[order] = attempt + 1
        raise GatewayError(answer.status, f"void refused: {answer.body.get('reason')}")

    def settle(self, day):
        """Book the day's captures with the bank.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each day; a fourth one locks the card for a day.
        attempts = self.failed.get(day, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to settle")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/settle", {"day": day, "attempt": attempt})
            LOG.info("settle %s took %.3f s", day, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(day, None)
                return Receipt(day, answer.body["settle_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[day] = RETRIES
                break
            self.failed[day] = attempt + 1
        raise GatewayError(answer.status, f"settle refused: {answer.body.get('reason')}")

    def dispute(self, order, papers):
        """Answer a chargeback with the documents of an order.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each order; a fourth one locks the card for a day.
        attempts = self.failed.get(order, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to dispute")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/dispute", {"order": order, "attempt": attempt})
            LOG.info("dispute %s took %.3f s", order, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(order, None)
                return Receipt(order, answer.body["dispute_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[order] = RETRIES
                break
            self.failed[order] = attempt + 1
        raise GatewayError(answer.status, f"dispute refused: {answer.body.get('reason')}")

    def convert(self, cents, currency):
        """Return an amount in another currency at the day's rate.

        Every attempt is written to the journal before the gateway hears of it, so that a crash between
        the two shows as an attempt without an answer and never as money without a trace.
        """
        # The gateway counts attempts for each cents; a fourth one locks the card for a day.
        attempts = self.failed.get(cents, 0)
        if attempts >= RETRIES:
            raise GatewayError(429, "too many attempts to convert")
        for attempt in range(attempts, RETRIES):
            started = self.clock()
            answer = post(self.gateway, "/v1/convert", {"cents": cents, "attempt": attempt})
            LOG.info("convert %s took %.3f s", cents, self.clock() - started)
            if answer.status < 400:
                self.failed.pop(cents, None)
                return Receipt(cents, answer.body["convert_id"])
            if answer.body.get('reason') in DECLINED:
                self.failed[cents] = RETRIES
                break
            self.failed[cents] = attempt + 1
        raise GatewayError(answer.status, f"convert refused: {answer.body.get('reason')}")


def is_final(order: Order) -> bool:
    # A captured order can only be refunded.
    return order.status in ("captured", "refunded", "void")
