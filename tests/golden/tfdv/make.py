"""Writes golden.json: what TensorFlow Data Validation says of small tables with one fault each.

Needs tensorflow-data-validation 1.16.1 (2.4 GB) and is run by hand; the tests read golden.json alone:
    python tests/golden/tfdv/make.py
"""
import io
import json
import pathlib

import pandas
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

INT = "type: INT presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } }"
MAYBE = "presence { min_count: 0 } value_count { min: 1 max: 1 }"
TEXT = "type: BYTES presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } }"
FLOAT = "type: FLOAT presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } }"

# An empty cell of a string that must be there is an empty text to `read`, and missing to TFDV: no case of that.
# name, columns in the language, features in the schema of TFDV, the file
CASES = [
    ("fine", "x: int\n    y: string?", {"x": INT, "y": "type: BYTES " + MAYBE}, "x,y\n1,a\n2,\n"),
    ("missing", "x: int\n    y: int", {"x": INT, "y": INT}, "x,y\n1,1\n2,\n3,3\n"),
    ("missing_column", "x: int\n    y: int", {"x": INT, "y": INT}, "x\n1\n2\n"),
    ("new_column", "x: int", {"x": INT}, "x,more\n1,a\n2,b\n"),
    ("text_for_int", "x: int\n    y: int where y >= 0", {"x": INT, "y": INT + " int_domain { min: 0 }"},
     "x,y\n1,1\n2,abc\n3,3\n"),
    ("text_for_float", "x: int\n    y: float where y >= 0.0",
     {"x": INT, "y": FLOAT + " float_domain { min: 0 }"}, "x,y\n1,1.5\n2,abc\n3,3\n"),
    ("text_for_bool", "x: int\n    y: bool", {"x": INT, "y": TEXT + " bool_domain { true_value: 'true' false_value: 'false' }"},
     "x,y\n1,true\n2,maybe\n3,false\n"),
    ("small_int", "x: int where x >= 5", {"x": INT + " int_domain { min: 5 }"}, "x\n5\n4\n9\n"),
    ("big_int", "x: int where x in 0..10", {"x": INT + " int_domain { min: 0 max: 9 }"}, "x\n5\n10\n9\n"),
    ("small_float", "x: float where x >= 0.0", {"x": FLOAT + " float_domain { min: 0 }"}, "x\n0.5\n-0.25\n9.5\n"),
    ("big_float", "x: float where x <= 1.5", {"x": FLOAT + " float_domain { max: 1.5 }"}, "x\n0.5\n1.75\n1.5\n"),
    ("small_and_big", "x: float where x >= 0.0 and x <= 1.0", {"x": FLOAT + " float_domain { min: 0 max: 1 }"},
     "x\n0.5\n-1.5\n1.5\n"),
    ("not_a_case", "x: int\n    y: Tone", {"x": INT, "y": TEXT + " string_domain { value: 'low' value: 'high' }"},
     "x,y\n1,low\n2,mid\n3,high\n"),
    ("not_in_domain", "x: int\n    y: string where y in [\"low\", \"high\"]",
     {"x": INT, "y": TEXT + " string_domain { value: 'low' value: 'high' }"}, "x,y\n1,low\n2,mid\n3,mid\n"),
    ("twice", "x: int\n    y: string where unique",
     {"x": INT, "y": TEXT + " unique_constraints { min: 3 max: 3 }"},
     "x,y\n1,a\n2,b\n2,b\n"),
    ("several", "x: int where x >= 0\n    y: Tone\n    z: float",
     {"x": INT + " int_domain { min: 0 }", "y": TEXT + " string_domain { value: 'low' value: 'high' }", "z": FLOAT},
     "x,y,z,more\n-1,low,1.5,a\n2,mid,,b\n3,high,2.5,c\n"),
]

# name, the new file, the old one; the columns are compared by both distances
OLD = "pay,count,fare\n" + "".join(
    f"{['cash', 'card', 'cash', 'app'][i % 4]},{i * i % 17},{(i * 7 % 101) / 8}\n" for i in range(200))
DRIFTS = [
    ("the_same", OLD, OLD),
    ("mixed_otherwise", "pay,count,fare\n" + "".join(
        f"{['cash', 'card', 'crypto'][i % 3]},{i * i % 23},{(i * 11 % 97) / 4 - 3}\n" for i in range(120)), OLD),
    ("one_value", "pay,count,fare\n" + "cash,3,2.5\n" * 40, OLD),
    ("some_missing", "pay,count,fare\n" + "".join(
        f"{['cash', '', 'app'][i % 3]},{i % 5 or ''},{'' if i % 2 else i / 16}\n" for i in range(90)), OLD),
]


def statistics(text):
    frame = pandas.read_csv(io.StringIO(text), keep_default_na=False, na_values=[""])
    for name in frame:
        values = frame[name]
        if values.dtype == float and (values.dropna() == values.dropna().round()).all():
            # Ints with gaps stay ints.
            ints = [None if pandas.isna(v) else int(v) for v in values]
            frame[name] = pandas.Series(ints, dtype=object)
        if frame[name].dtype == bool:
            frame[name] = frame[name].map(lambda v: str(v).lower())
    return tfdv.generate_statistics_from_dataframe(frame)


def feature(schema, name, text):
    text_format.Parse(f"name: '{name}' " + text, schema.feature.add())


def anomalies(features, text):
    schema = schema_pb2.Schema()
    for name, body in features.items():
        feature(schema, name, body)
    found = tfdv.validate_statistics(statistics(text), schema)
    kinds = []
    for name, info in sorted(found.anomaly_info.items()):
        for reason in info.reason:
            kinds.append([name.strip("'"), anomalies_pb2.AnomalyInfo.Type.Name(reason.type)])
    return sorted(kinds)


def distances(new, old):
    schema = schema_pb2.Schema()
    for name, kind in (("pay", "BYTES"), ("count", "INT"), ("fare", "FLOAT")):
        both = "infinity_norm { threshold: 2 } " if kind == "BYTES" else ""
        feature(schema, name, f"type: {kind} drift_comparator {{ {both} jensen_shannon_divergence {{ threshold: 2 }} }}")
    found = tfdv.validate_statistics(statistics(new), schema, previous_statistics=statistics(old))
    result = {}
    for info in found.drift_skew_info:
        name = info.path.step[0]
        for one in info.drift_measurements:
            kind = type(one).Type.Name(one.type)
            result.setdefault(name, {})["linf" if kind == "L_INFTY" else "jsd"] = one.value
    return result


def main():
    golden = {"checks": [], "drifts": []}
    for name, columns, features, text in CASES:
        golden["checks"].append({"name": name, "columns": columns, "file": text,
                                 "anomalies": anomalies(features, text)})
    for name, new, old in DRIFTS:
        golden["drifts"].append({"name": name, "new": new, "old": old, "columns": distances(new, old)})
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
