"""The files of a tuned folder, besides `tuned.json`."""

from __future__ import annotations

TUNER_TABLE = "nccl-tuner.csv"
NCCL_CONF = "nccl.conf"
OMPI_RULES = "ompi-rules.conf"
MCA_PARAMS = "mca-params.conf"
EXPORTS = "tuned.sh"
SMPI_WORDS = "smpi-words.csv"

ALL = (TUNER_TABLE, NCCL_CONF, OMPI_RULES, MCA_PARAMS, EXPORTS, SMPI_WORDS)
