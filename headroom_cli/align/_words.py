"""Words around a value that tell whether it is of this request, of its session, or stands."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Return the set of some words."""
    return frozenset(text.split())


MONTHS = words(
    "january february march april may june july august september october november december jan feb mar apr "
    "jun jul aug sep sept oct nov dec januar februar m\u00e4rz mai juni juli oktober dezember okt dez mrz "
    "janvier f\u00e9vrier mars avril juin juillet ao\u00fbt septembre octobre novembre d\u00e9cembre enero "
    "febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio "
    "aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro mar\u00e7o maio junho julho "
    "setembro outubro novembro dezembro januari februari maart april mei juni juli augustus oktober"
)
CURRENT = words(
    "today todays today's now current currently present tonight heute heutiges aktuelles aktuelle jetzt "
    "actuelle aujourd'hui actual hoy oggi hoje vandaag"
)
CURRENT_CJK = words("\u4eca\u5929 \u5f53\u524d \u4eca\u65e5 \u73b0\u5728 \u73fe\u5728 \uc624\ub298 \ud604\uc7ac")
NOUNS = words(
    "date time datetime timestamp day week weekday clock datum uhrzeit zeit stand fecha hora data heure "
    "\u65e5\u671f \u65f6\u95f4"
)
# Words that may stand beside such a noun in a label at the start of a line: "Server time (UTC):".
PLAIN = NOUNS | words(
    "the and of in at is it local system server utc gmt user users user's session request conversation chat "
    "started starting begin began report message run execution invocation wall unix epoch log timezone "
    "reference real iso generation generated snapshot prompt context build rendered captured retrieved "
    "fetched created sent received client host machine du der das die la le el de il effective"
)
EVENTS = words(
    "generated started rendered captured retrieved fetched refreshed synced exported compiled sent received "
    "created sync place happens happening opened loaded logged indexed launched initialized resumed seen login"
)
HAPPENING = words(
    "session conversation request chat report snapshot prompt context run system page message data cache "
    "index last thread task job inventory memory login"
)
FILLERS = words("is was are the it its it's on at of to a an as be set utc est le der den el den")
JOINTS = words("and or with use see in under from for by cd this that your you have")
# What a date that stands is about.
STANDING = words(
    "cutoff cut off release released releases version versions due birth born expiry expires expiration "
    "deadline until copyright publish published publication since before after between knowledge training "
    "trained founded end ends deprecated deprecation introduced effective example changelog valid from "
    "through amended enacted died signed departure arrival"
)
# A limit stands.
LIMITS = words(
    "max maximum min minimum limit limits limited most least up every per at exceed exceeds within under than"
)
# What is digested stands as long as the thing itself.
DIGESTS = words("sha sha256 sha1 md5 digest checksum hash integrity fingerprint commit commits pinned key secret")
CLEAR = words("session conversation request trace thread correlation nonce invocation execution")
NEWEST = words("last latest current newest head git")
