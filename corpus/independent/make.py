"""Makes the tables of this folder with scipy and numpy-financial, which share no code with ours.

    pip install scipy==1.17.1 numpy-financial==1.0.0
    python make.py
"""

import itertools

import numpy_financial as npf
from scipy import stats
from scipy.stats import norm


def table(path, title, note, cases):
    with open(path, "w") as out:
        out.write(f"# {title}\n\n{note} Made by `make.py`; not to be edited.\n\n")
        out.write("| expression | value |\n|---|---|\n")
        for expression, value in cases:
            value = float(value)
            if value == value and abs(value) != float("inf") and abs(value) > 1e-200:
                out.write(f"| `{expression}` | {value!r} |\n")


def distributions():
    shares = [1e-6, 0.001, 0.025, 0.1, 0.5, 0.9, 0.975, 0.9999]
    for x, df in itertools.product([0.01, 0.5, 1, 3.84, 8, 15, 60], [1, 2, 3, 15, 30, 200]):
        yield f"ChiDist({x},{df})", stats.chi2.sf(x, df)
        yield f"ChiDensity({x},{df})", stats.chi2.pdf(x, df)
    for p, df in itertools.product(shares, [1, 2, 15, 100]):
        yield f"ChiInv({p},{df})", stats.chi2.isf(p, df)
    for x, a, b in itertools.product([0.1, 1, 2.5, 15], [1, 2, 8, 40], [1, 3, 6, 100]):
        yield f"FDist({x},{a},{b})", stats.f.sf(x, a, b)
        yield f"FDensity({x},{a},{b})", stats.f.pdf(x, a, b)
    for p, a, b in itertools.product(shares, [1, 8], [3, 40]):
        yield f"FInv({p},{a},{b})", stats.f.isf(p, a, b)
    for t, df in itertools.product([0, 0.1, 1, 2.5, 12], [1, 2, 5, 30, 1000]):
        yield f"TDist({t},{df},1)", stats.t.sf(t, df)
        yield f"TDist({t},{df},2)", 2 * stats.t.sf(t, df)
        yield f"TDensity({-t},{df})", stats.t.pdf(t, df)
    for p, df in itertools.product(shares, [1, 2, 5, 30, 1000]):
        yield f"TInv({p},{df})", stats.t.isf(p / 2, df)
    for x, m, s in itertools.product([-8, -1, 0, 0.5, 3, 6], [0, 2], [0.5, 1, 4]):
        yield f"NormDist({x},{m},{s})", norm.cdf(x, m, s)
        yield f"NormDist({x},{m},{s},0)", norm.pdf(x, m, s)
    for p, m, s in itertools.product(shares, [1, 5], [1, 3]):
        yield f"NormInv({p},{m},{s})", norm.ppf(p, m, s)
    for x, a, b in itertools.product([0.01, 0.3, 0.5, 0.99], [0.5, 1, 2, 30], [0.5, 3, 12]):
        yield f"BetaDist({x},{a},{b})", stats.beta.cdf(x, a, b)
        yield f"BetaDensity({x},{a},{b})", stats.beta.pdf(x, a, b)
    for p, a, b in itertools.product(shares, [0.5, 2], [3, 12]):
        yield f"BetaInv({p},{a},{b})", stats.beta.ppf(p, a, b)
    for x, k, s in itertools.product([0.05, 1, 4, 30], [0.5, 1, 7.5], [0.5, 1, 3]):
        yield f"GammaDist({x},{k},{s})", stats.gamma.cdf(x, k, scale=s)
        yield f"GammaDensity({x},{k},{s})", stats.gamma.pdf(x, k, scale=s)
    for p, k, s in itertools.product(shares, [0.5, 7.5], [0.5, 3]):
        yield f"GammaInv({p},{k},{s})", stats.gamma.ppf(p, k, scale=s)
    for k, n, p in itertools.product([0, 1, 4, 9], [9, 20, 500], [0.05, 0.5, 0.9]):
        yield f"BinomDist({k},{n},{p})", stats.binom.cdf(k, n, p)
        yield f"BinomFrequency({k},{n},{p})", stats.binom.pmf(k, n, p)
    for share, n, p in itertools.product([0.01, 0.3, 0.5, 0.99], [9, 20, 500], [0.05, 0.5]):
        yield f"BinomInv({share},{n},{p})", stats.binom.ppf(share, n, p)
    for k, m in itertools.product([0, 1, 5, 40], [0.5, 3, 30]):
        yield f"PoissonDist({k},{m})", stats.poisson.cdf(k, m)
        yield f"PoissonFrequency({k},{m})", stats.poisson.pmf(k, m)
    for share, m in itertools.product([0.01, 0.3, 0.5, 0.99], [0.5, 3, 30, 4000]):
        yield f"PoissonInv({share},{m})", stats.poisson.ppf(share, m)


def finance():
    for r, n, a, b, due in itertools.product([0.0005, 0.005, 0.1], [8, 36, 360], [-20, 300], [0, 1000], [0, 1]):
        when = "begin" if due else "end"
        yield f"FV({r},{n},{a},{b},{due})", npf.fv(r, n, a, b, when)
        yield f"PV({r},{n},{a},{b},{due})", npf.pv(r, n, a, b, when)
        yield f"Pmt({r},{n},{a},{b},{due})", npf.pmt(r, n, a, b, when)
    for r, p, v in itertools.product([0.0005, 0.005, 0.02], [-200, -500], [1000, 9000]):
        yield f"nPer({r},{p},{v})", npf.nper(r, p, v)
    for n, p, v in itertools.product([12, 60, 360], [-300, -90], [1000, 10000]):
        if n * -p > v:
            rate = npf.rate(n, p, v, 0, tol=1e-14, maxiter=1000)
            # It may end at a root below -100 %, which is no rate.
            yield f"Rate({n},{p},{v})", rate if rate > -1 else float("nan")
    flows = [
        [-70000, 12000, 15000, 18000, 21000, 26000],
        [-100, 39, 59, 55, 20],
        [-100, 0, 0, 74],
        [-5, 10.5, 1, -8, 1],
        [-10000, 3000, 4200, 6800],
    ]
    for flow in flows:
        text = ",".join(str(f) for f in flow)
        yield f"RangeIRR({text})", npf.irr(flow)
        yield f"RangeNPV(0.1,{text})", npf.npv(0.1, flow) / 1.1
    for strike, time, price, vol, rate in itertools.product([90, 130], [0.5, 4], [68.5, 120], [0.1, 0.4], [0.01, 0.04]):
        from math import exp, log, sqrt

        d1 = (log(price / strike) + (rate + vol * vol / 2) * time) / (vol * sqrt(time))
        d2 = d1 - vol * sqrt(time)
        call = price * norm.cdf(d1) - strike * exp(-rate * time) * norm.cdf(d2)
        put = strike * exp(-rate * time) * norm.cdf(-d2) - price * norm.cdf(-d1)
        if call > 1e-4:
            yield f"BlackAndSchole({strike},{time},{price},{vol},{rate},'call')", call
        if put > 1e-4:
            yield f"BlackAndSchole({strike},{time},{price},{vol},{rate},'put')", put


table("distributions.md", "Distributions", "Results of scipy 1.17.1.", distributions())
table("finance.md", "Finance", "Results of numpy-financial 1.0.0, option prices by scipy 1.17.1.", finance())
