"""Where the weights of a method are, in a word; looked up without opening any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusionbench.types import UserError

from .cards import CARDS
from .weights import at_hand


@dataclass(frozen=True, slots=True)
class Standing:
    """Of the weights of one method.

    Attributes
    ----------
    status : {"shipped", "at hand", "fetch", "give"}
        They come with this package, were fetched, can be fetched, or are a file that a user has to give.
    name : str
        Which weights are meant, ``method@tag``; empty if no weights of that method are known.
    licence : str
        Theirs, as their makers state it; empty likewise.
    """

    status: Literal["shipped", "at hand", "fetch", "give"]
    name: str = ""
    licence: str = ""

    @property
    def allowed(self) -> str:
        """The licence in a word or two."""
        return self.licence.partition(",")[0].replace("none stated by the authors", "none stated")


def standing(method: str) -> Standing:
    """How it stands with the weights that a network takes if none are named, or that are the easiest to get.

    Parameters
    ----------
    method : str
        Short name of a network.
    """
    fusing = [card for card in CARDS.values() if card.method == method and card.fuses]
    for card in fusing:
        try:
            here = at_hand(card) is not None
        except UserError:  # changed since it was fetched, so to be fetched again
            here = False
        if here:
            return Standing("shipped" if card.shipped else "at hand", card.name, card.licence)
    for card in fusing:
        if card.url:
            return Standing("fetch", card.name, card.licence)
    return Standing("give", fusing[0].name, fusing[0].licence) if fusing else Standing("give")
