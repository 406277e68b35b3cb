"""What numpy makes of QR, of the SVD of products of factors, and of a weight's leading singular vectors.

    python bench/oracles/make_linear_algebra_cases.py test/fixtures/linear-algebra/cases.json

Needs numpy. Matrices are written row by row.
"""
import json
import sys

import numpy

draw = numpy.random.default_rng(11)


def rounded(matrix, digits=12):
    return [float(f"{value:.{digits}g}") for value in numpy.asarray(matrix).ravel()]


def qr_case(matrix):
    _, r = numpy.linalg.qr(matrix)
    return {"rows": matrix.shape[0], "columns": matrix.shape[1], "values": rounded(matrix, 17), "absoluteR": rounded(numpy.abs(r))}


def product_case(b, a):
    u, s, vt = numpy.linalg.svd(b @ a, full_matrices=False)
    k = min(b.shape[0], a.shape[1], b.shape[1])
    return {"out": b.shape[0], "rank": b.shape[1], "in": a.shape[1], "b": rounded(b, 17), "a": rounded(a, 17), "s": rounded(s[:k]),
            "first": {"u": rounded(u[:, 0]), "v": rounded(vt[0])}}


def leading_case(rows, columns, count, decay):
    left, _ = numpy.linalg.qr(draw.standard_normal((rows, columns)))
    right, _ = numpy.linalg.qr(draw.standard_normal((columns, columns)))
    matrix = (left * decay ** numpy.arange(columns)) @ right.T
    matrix = matrix.astype(numpy.float32).astype(numpy.float64)
    u, s, vt = numpy.linalg.svd(matrix, full_matrices=False)
    return {"rows": rows, "columns": columns, "count": count, "values": rounded(matrix, 9), "s": rounded(s[:count]),
            "u": rounded(u[:, :count].T), "v": rounded(vt[:count])}


dependent = draw.standard_normal((7, 2))
cases = {
    "numpy": numpy.__version__,
    "qr": [
        qr_case(draw.standard_normal((9, 4))),
        qr_case(draw.standard_normal((3, 6))),
        qr_case(numpy.concatenate([dependent, dependent[:, :1] * 2], axis=1)),
        qr_case(numpy.zeros((5, 2))),
    ],
    "product": [
        product_case(draw.standard_normal((24, 4)), draw.standard_normal((4, 17))),
        product_case(draw.standard_normal((3, 5)), draw.standard_normal((5, 8))),
        product_case(numpy.zeros((6, 2)), draw.standard_normal((2, 5))),
        product_case(numpy.repeat(draw.standard_normal((10, 1)), 3, axis=1), draw.standard_normal((3, 12))),
    ],
    "leading": [leading_case(40, 30, 5, 0.8), leading_case(30, 24, 3, 0.95)],
}
with open(sys.argv[1], "w", encoding="utf8") as out:
    json.dump(cases, out)
    out.write("\n")
print(f"numpy {numpy.__version__}: {len(cases['qr'])} QR, {len(cases['product'])} products, {len(cases['leading'])} weights")
