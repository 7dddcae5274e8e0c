"""`CARD.md`: what a model was trained on, how, how it does by group and where it fails, from its folder alone.

Sections and their order are those of Mitchell et al. 2019 (Model Cards for Model Reporting, FAT*).
"""

from core.present.card.blocks import Heading, Items, Section, Table, Text, markdown, section
from core.present.card.sections import card_sections, write_card

__all__ = [
    "Heading",
    "Items",
    "Section",
    "Table",
    "Text",
    "card_sections",
    "markdown",
    "section",
    "write_card",
]
