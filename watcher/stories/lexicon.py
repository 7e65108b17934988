"""What news words say of an event: which say the same, and which everybody uses. Data only.

General knowledge of English headlines, written by hand; other languages are
compared by spelling, numbers and the frequencies learned from the stream.
"""

from watcher.tokens import fold_tokens

# One line, one meaning. The first word stands for all of them.
_SAME = """
kill slay dead die death fatal deadly perish massacre lethal
injure wound hurt injury
say tell claim state report
attack strike raid assault offensive hit
bomb blast explosion explode bombing bomber detonate
shoot shooting gunman gunfire shot shooter
quake earthquake temblor
storm hurricane typhoon cyclone
fire blaze wildfire inferno
crash collide collision wreck
arrest detain hold custody nab
jail prison imprison sentence
buy acquire purchase takeover acquisition
quit resign resignation step stepdown
win victory triumph
defeat beat thrash
name appoint nominate pick tap
talk negotiate negotiation dialogue discussion
meet meeting summit
pact deal agreement accord treaty agree
launch liftoff fire
rocket missile projectile
vow pledge promise
urge call
warn caution warning alert
rise climb gain up increase jump surge soar higher grow hike advance
fall drop slip down decline plunge tumble lower slump decrease slide dip
stock share equity
vote poll election ballot elect
president presidential
premier pm minister
lawmaker mp parliament legislator congress
rebel insurgent militant fighter
troop soldier military army force
protest demonstration rally protester demonstrator
riot clash unrest violence
police cop officer
plane jet airplane aircraft airliner
boat ship vessel ferry
flood flooding
evacuate evacuation flee
ban prohibit outlaw bar
okay approve back endorse support
reject refuse rebuff dismiss deny
end conclude finish
begin start open kick
delay postpone defer
reveal unveil show disclose release
help aid assist relief assistance
plan intend set prepare
probe investigate investigation inquiry
trial court tribunal
charge accuse indict allege
convict guilty
leader chief head boss
chairman chair
child kid
girl teenager teen boy
abduct kidnap seize
free release freed
hostage captive
visit trip tour
arrive land
leave depart departure
envoy ambassador diplomat
sanction penalty
border frontier
nuclear atomic
drug narcotic
weapon arms gun
budget spending
economy economic
company firm corporation
bank lender
sell sale
job employment work
unemployment jobless
film movie
star actor actress celebrity
wed marry wedding marriage
baby birth born
sick ill illness disease
hospital hospitalised clinic
virus outbreak epidemic
test trial
study research
car vehicle auto
train rail railway
road highway
school college university
student pupil
storm tempest
rescue save
find discover
miss missing disappear vanish
seek want
stop halt
near close
huge massive large
key major main
first 1st
second 2nd
third 3rd
million m mln
billion b bn
percent pct
dollar usd
rape assault
suspect alleged
ceasefire truce
crisis turmoil
battle fight
powerful strong major
anger fury outrage
debt bailout
toll casualty
capital city
build construct
block veto
snatch steal theft stolen rob
found establish create
""".strip().splitlines()

# Country, people and seat of government are one party in the news.
_PLACES = """
usa us american america washington
russia russian moscow kremlin
china chinese beijing
uk british britain london
france french paris
germany german berlin
japan japanese tokyo
ukraine ukrainian kyiv kiev
israel israeli
palestine palestinian gaza gazan
iran iranian tehran
iraq iraqi baghdad
syria syrian damascus
egypt egyptian cairo
libya libyan tripoli
turkey turkish ankara turk
lebanon lebanese beirut
jordan jordanian
saudi riyadh
yemen yemeni sanaa
afghanistan afghan kabul
pakistan pakistani islamabad
india indian delhi
bangladesh bangladeshi dhaka
nepal nepalese
thailand thai bangkok
vietnam vietnamese hanoi
philippines philippine filipino manila
indonesia indonesian jakarta
malaysia malaysian
myanmar burma burmese
australia australian canberra aussie
zealand nz
canada canadian ottawa
mexico mexican
brazil brazilian
argentina argentine argentinian
venezuela venezuelan caracas
colombia colombian bogota
cuba cuban havana
chile chilean
peru peruvian
spain spanish madrid
italy italian rome
greece greek athens
portugal portuguese lisbon
cyprus cypriot
ireland irish dublin
scotland scottish
poland polish warsaw
hungary hungarian budapest
serbia serbian
kosovo pristina
belgium belgian
netherlands dutch
sweden swedish
norway norwegian
denmark danish
finland finnish
swiss switzerland
austria austrian
belarus belarusian minsk
georgia georgian tbilisi
kazakhstan kazakh
somalia somali mogadishu
kenya kenyan nairobi
nigeria nigerian
sudan sudanese khartoum
congo congolese
mali malian
algeria algerian
tunisia tunisian
morocco moroccan
ethiopia ethiopian
uganda ugandan
zimbabwe zimbabwean
korea korean
europe european eu
africa african
asia asian
""".strip().splitlines()

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty
""".split()  # noqa: SIM905 - a list of words reads best as words

# Words that say what kind of news it is, not which: they weigh little.
_COMMON = """
kill say attack bomb shoot police arrest talk meet pact rise fall stock vote president premier
protest troop rebel warn urge leader report official government minister people man woman new year
day week world country state court charge plan help end begin win lead help death deal crisis
top news latest update live video photo watch breaking exclusive set face make take get go come see
time big next still back amid near dozen hundred thousand least party group
security war conflict clash violence house high low case former old home million percent billion
""".split()  # noqa: SIM905 - a list of words reads best as words


def _meanings() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (*_PLACES, *_SAME):
        words = fold_tokens(line)
        for word in words:
            found.setdefault(word, words[0])
    for n, word in enumerate(_NUMBERS):
        found[word] = str(n)
    return found


#: Folded word → the word that stands for its meaning.
MEANINGS = _meanings()
PLACES = frozenset(fold_tokens(line)[0] for line in _PLACES)
COMMON = frozenset(_COMMON)
#: Things with several plain names: unlike verbs, one of them is the event whatever it is called.
THINGS = frozenset(
    "quake storm plane boat flood hostage ceasefire troop police virus film car train toll".split()  # noqa: SIM905
)
