"""What scipy, statsmodels, scikit-learn, sacrebleu and rouge-score make of 200 pairs of texts and some hundred numbers.

    python bench/oracles/make_evaluation_cases.py test/fixtures/evaluation/cases.json

Needs scipy, statsmodels, scikit-learn, sacrebleu and rouge-score. The texts are those of examples/intents (CC0), in pairs of the same intent.
"""
import collections
import itertools
import json
import pathlib
import random
import re
import string
import sys

import numpy
import pandas
import rouge_score
import sacrebleu
import scipy
import scipy.optimize
import scipy.stats
import sklearn
import sklearn.metrics
import statsmodels
import statsmodels.api
import statsmodels.formula.api
import statsmodels.stats.anova
from rouge_score import rouge_scorer
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

repo = pathlib.Path(__file__).resolve().parents[2]
draw = random.Random(7)

rows = [json.loads(line) for line in open(repo / "examples/intents/train.jsonl", encoding="utf-8")]
by_intent = collections.defaultdict(list)
for row in rows:
    by_intent[row["completion"]].append(row["prompt"])
odd = [
    ("", ""), ("", "a word"), ("a word", ""), ("The cat.", "the cat"), ("1,234.5 km-h", "1234.5 km/h"), ("x" * 40, "x" * 39),
    ("&quot;Hi&quot; &amp; bye", '"Hi" & bye'), ("naïve café – déjà vu", "naive cafe - deja vu"), ("天气很好，我们走吧。", "天气好，走吧！"),
    ("line one\nline two", "line one line-\ntwo"), ("😀 smile", "smile 😀😀"), ("a", "a"), ("a b", "b a"), ("the the the", "the"), ("state-of-the-art", "state of the art"),
]
pairs = list(odd)
while len(pairs) < 200:
    texts = by_intent[draw.choice(sorted(by_intent))]
    answer, expected = draw.sample(texts, 2)
    # Half of them nearly right, as answers of a tuned model are.
    if draw.random() < 0.5:
        words = expected.split()
        answer = " ".join(word for word in words if draw.random() < 0.8)
    pairs.append((answer, expected))


def squad_normalise(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_f1(answer, expected):
    given, wanted = squad_normalise(answer).split(), squad_normalise(expected).split()
    if not given or not wanted:
        return float(given == wanted)
    same = sum((collections.Counter(given) & collections.Counter(wanted)).values())
    return 0.0 if same == 0 else 2 * same / (len(given) + len(wanted))


scorer = rouge_scorer.RougeScorer(["rougeL"])
texts = [
    {
        "answer": a, "expected": e, "normalised": squad_normalise(a), "tokenF1": squad_f1(a, e), "rougeL": scorer.score(e, a)["rougeL"].fmeasure,
        "chrF": sacrebleu.sentence_chrf(a, [e]).score, "bleu": sacrebleu.sentence_bleu(a, [e]).score,
    }
    for a, e in pairs
]
answers, expected = [a for a, _ in pairs], [[e for _, e in pairs]]
corpus = {"chrF": sacrebleu.corpus_chrf(answers, expected).score, "bleu": sacrebleu.corpus_bleu(answers, expected).score}

labels = ["weather", "music", "book", "other"]
wanted = [draw.choice(labels) for _ in range(120)]
given = [label if draw.random() < 0.7 else draw.choice(labels + ["none"]) for label in wanted]
names = sorted(set(wanted) | set(given))
classes = {
    "answers": given, "expected": wanted, "names": names, "accuracy": sklearn.metrics.accuracy_score(wanted, given),
    "macroF1": sklearn.metrics.f1_score(wanted, given, labels=names, average="macro", zero_division=0),
    "confusion": sklearn.metrics.confusion_matrix(wanted, given, labels=names).tolist(),
}

normal = [[z, float(scipy.stats.norm.cdf(z))] for z in [-9, -5, -2.5, -1.96, -0.6, -0.1, 0, 0.3, 0.66, 1, 2, 3.7, 6, 8]]
quantiles = [[p, float(scipy.stats.norm.ppf(p))] for p in [1e-10, 1e-4, 0.01, 0.024, 0.025, 0.3, 0.5, 0.8, 0.975, 0.976, 0.999, 1 - 1e-9]]
wilson = [[k, n, *map(float, proportion_confint(k, n, method="wilson"))] for k, n in [(0, 10), (8, 10), (1, 3), (50, 50), (199, 400), (3, 1000)]]
mcnemars = [[b, c, float(mcnemar([[0, b], [c, 0]], exact=True).pvalue)] for b, c in [(0, 0), (1, 0), (5, 5), (2, 12), (30, 51), (0, 40), (700, 800), (4000, 4200)]]
families = [[draw.random() ** 3 for _ in range(n)] for n in (1, 2, 5, 12)] + [[0.01, 0.01, 0.04, 0.03, 0.005]]
holms = [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in families]

generator = numpy.random.default_rng(5)
differences = []
for values in ([1, 0, 1, 1, 0, -1, 1, 0, 1, 1], [0.2, -0.1, 0.4, 0.05, 0.3, 0.3, -0.2, 0.15], generator.normal(0.1, 0.5, 12).round(6).tolist()):
    exact = scipy.stats.permutation_test((values,), numpy.mean, permutation_type="samples", n_resamples=numpy.inf)
    differences.append({"values": values, "p": float(exact.pvalue)})
intervals = []
for values in (generator.normal(0.1, 1, 60), generator.exponential(1, 80), generator.binomial(1, 0.2, 150).astype(float), generator.binomial(1, 0.9, 40).astype(float) - generator.binomial(1, 0.6, 40)):
    values = values.round(6)
    found = scipy.stats.bootstrap((values,), numpy.mean, n_resamples=100_000, method="BCa", random_state=1, batch=1000)
    intervals.append({"values": values.tolist(), "low": float(found.confidence_interval.low), "high": float(found.confidence_interval.high)})

# Tango's interval: where the score statistic, with the likelihood maximised by search for each difference, is 1.96.
def tango(b, c, n):
    def score(d):
        def loss(q):  # q is the probability that only the second is right; the first alone has q + d
            terms = [(b, q + d), (c, q), (n - b - c, 1 - 2 * q - d)]
            return -sum(k * numpy.log(max(p, 1e-300)) for k, p in terms)
        low, high = max(0, -d), (1 - d) / 2
        q = scipy.optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-14}).x
        return (b - c - n * d) / numpy.sqrt(n * (2 * q + d - d * d))
    z, seen = scipy.stats.norm.ppf(0.975), (b - c) / n
    ends = [scipy.optimize.brentq(lambda d: score(d) - wanted, *bounds, xtol=1e-13) for wanted, bounds in ((z, (-1 + 1e-9, seen - 1e-9)), (-z, (seen + 1e-9, 1 - 1e-9)))]
    return [b, c, n, *map(float, ends)]


paired = [tango(*counts) for counts in [(0, 0, 40), (1, 0, 50), (5, 2, 50), (12, 9, 200), (40, 70, 400), (3, 30, 60)]]

# Standard errors of the mean by clusters: an intercept alone, with cluster-robust errors.
groups = [int(g) for g in generator.integers(0, 25, 150)]
clustered = (generator.normal(0, 1, 25)[groups] + generator.normal(0, 1, 150)).round(6)
fitted = statsmodels.api.OLS(clustered, numpy.ones(150)).fit(cov_type="cluster", cov_kwds={"groups": groups})
clusters = {"values": clustered.tolist(), "clusters": [str(g) for g in groups], "error": float(fitted.bse[0])}

# pass@k and pass^k, by trying every choice of k samples.
passes = []
for n, right in ((1, 1), (5, 2), (6, 5), (8, 3)):
    for k in range(1, n + 1):
        choices = list(itertools.combinations([i < right for i in range(n)], k))
        passes.append([n, right, k, sum(map(any, choices)) / len(choices), sum(map(all, choices)) / len(choices)])

# Macro F1 of drawn examples: its bias-corrected interval.
def macro(rows):
    some = sorted({wanted[i] for i in rows} | {given[i] for i in rows})
    return sklearn.metrics.f1_score([wanted[i] for i in rows], [given[i] for i in rows], labels=some, average="macro", zero_division=0)


found = scipy.stats.bootstrap((numpy.arange(len(wanted)),), macro, n_resamples=5000, method="BCa", random_state=1, vectorized=False)
macros = {"low": float(found.confidence_interval.low), "high": float(found.confidence_interval.high), "some": [[rows, macro(rows)] for rows in ([0, 1, 2], [5, 5, 9, 80], list(range(60)))]}

# Student's t: tails and quantiles, degrees of freedom that are no whole numbers among them.
students = [[t, f, float(2 * scipy.stats.t.sf(t, f)), float(scipy.stats.t.ppf(0.975, f))] for t, f in [(0.3, 1), (2, 2), (12.7, 1), (1.5, 2.7), (4.3, 0.8), (1.96, 19), (3.1, 199.5), (2.2, 1e5)]]

# Repeats with other seeds on the same examples: variance components from the mean squares of a two-way analysis.
repeats = (generator.normal(0.6, 0.05, (4, 1)) + generator.normal(0, 0.3, (1, 50)) + generator.normal(0, 0.1, (4, 50))).round(6)
frame = pandas.DataFrame([{"score": repeats[s, i], "seed": s, "example": i} for s in range(4) for i in range(50)])
table = statsmodels.stats.anova.anova_lm(statsmodels.formula.api.ols("score ~ C(seed) + C(example)", frame).fit())
seed_square, example_square, residual = table["mean_sq"]
seeds = {"scores": repeats.tolist(), "variance": float((seed_square - residual) / 50), "error": float(numpy.sqrt((seed_square + example_square - residual) / 200))}

versions = {each.__name__: getattr(each, "__version__", "0.1.2") for each in (scipy, statsmodels, sklearn, sacrebleu, rouge_score)}
out = {"versions": versions, "texts": texts, "corpus": corpus, "classes": classes, "normal": normal, "quantiles": quantiles, "wilson": wilson, "mcnemar": mcnemars, "holm": holms, "permutation": differences, "bootstrap": intervals, "paired": paired, "clusters": clusters, "passes": passes, "macro": macros, "students": students, "seeds": seeds}
pathlib.Path(sys.argv[1]).write_text(json.dumps(out, ensure_ascii=False) + "\n", encoding="utf-8")
