"""Objects that are like others: descriptors, search by example, and what is worth labelling next."""

from autolabel.similar.catalogue import Catalogue, print_of
from autolabel.similar.embedding import Embedding
from autolabel.similar.features import Features, described, features_of
from autolabel.similar.pool import ObjectId, Pool
from autolabel.similar.query import Answer, Query, search
from autolabel.similar.scale import ASPECTS
from autolabel.similar.worth import Doubt, LogWorth, Worth, log_worths, worths

__all__ = [
    "ASPECTS",
    "Answer",
    "Catalogue",
    "Doubt",
    "Embedding",
    "Features",
    "LogWorth",
    "ObjectId",
    "Pool",
    "Query",
    "Worth",
    "described",
    "features_of",
    "log_worths",
    "print_of",
    "search",
    "worths",
]
