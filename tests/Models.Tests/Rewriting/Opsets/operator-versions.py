"""Writes operator-versions.tsv: every standard ONNX operator and its versions up to opset 25.

Usage: python3 operator-versions.py onnx/defs/operator_sets.h > operator-versions.tsv
The header lists, for each opset, the operators that it brings; it stands in the sources of ONNX (here: of August 2026).
"""

import re
import sys

NEWEST = 25

with open(sys.argv[1], encoding="utf-8") as header:
    found = re.findall(r"ONNX_OPERATOR_SET_SCHEMA_CLASS_NAME\(Onnx, (\d+), (\w+)\)", header.read())

versions = {}
for version, operator in found:
    if int(version) <= NEWEST:
        versions.setdefault(operator, set()).add(int(version))

for operator in sorted(versions):
    print(operator, " ".join(map(str, sorted(versions[operator]))), sep="\t")
