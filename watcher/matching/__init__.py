"""Rules over a stream of articles.

A watchlist turns search around: the queries are stored, the documents pass by.
Running every rule over every article costs rules × text. Nearly all of it is
wasted, for an article about football shares no required word with nearly any rule.

So matching has two steps. `index.py` files each rule under the keys of its rarest
*required* clause (a word, or the beginning of one): if the rule holds for an article,
at least one of those keys occurs in it. An article's own words look up the few rules
that can hold; a second required clause guards against the common coincidences.
`evaluate.py` then decides these exactly, and says where each clause held.

The index may only ever skip rules that can't hold. `NoPrefilter` skips nothing: it is
the oracle that property tests compare with, and the switch to pull when in doubt.

    text ──tokens──▶ words ──index──▶ candidate rules ──evaluate──▶ matches with evidence

One broken rule never stops the others: `Matcher.errors` keeps what it raised.
"""
