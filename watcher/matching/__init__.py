"""Rules over a stream of articles.

A watchlist turns search around: the queries are stored, the documents pass by.
Running every rule over every article costs rules × text. Nearly all of it is
wasted, for an article about football shares no required word with nearly any rule.

So a rule is lowered (`lower.py`) to the words, beginnings of words and phrases it demands,
and filed under its rarest *required* clause (`required.py`): if the rule holds for an
article, at least one of those keys occurs in it. An article's own words look up the few
rules that can hold; a second required clause guards against the common coincidences.

Two engines do this with the same results. `index.py` is plain Python. `kernel.c`, driven by
`compiled.py` where a compiler built it, decides most rules in the same pass. What neither
can say (a regex, a sentence) `quick.py` decides, and `evaluate.py` says where a clause held:
slowly, exactly, and only for the few articles that match.

An engine may only ever skip rules that can't hold. `NoPrefilter` skips nothing: it is the
oracle that property tests compare with, and the switch to pull when in doubt.

    text ──tokens──▶ words ──index──▶ candidate rules ──evaluate──▶ matches with evidence

One broken rule never stops the others: `Matcher.errors` keeps what it raised.
"""
