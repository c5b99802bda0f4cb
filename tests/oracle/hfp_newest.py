"""Computes, from an HFP recording alone, what each vehicle's newest facts are.

An independent answer to compare the service with: own parsing, no code shared with the decoder. Standard library only.

    python3 tests/oracle/hfp_newest.py RECORDING > newest.json

Order: device stamp, then event messages over plain positions. Messages that tie in both are told apart by a content hash
of the service's own, which this program does not know: it prints every candidate of the tie.
"""

import json
import re
import sys
from datetime import datetime, timezone

LINE = re.compile(r"^(\S+) (/hfp/v[12]/.*?) (\{.*)$")


def millis(text):
    """RFC 3339 to epoch milliseconds; HFP v1 writes whole seconds."""
    stamp = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if stamp.tzinfo is None:
        raise ValueError(f"naive time {text}")
    return round(stamp.astimezone(timezone.utc).timestamp() * 1000)


def read_topic(topic):
    levels = topic.split("/")
    version, journey_type, temporal = levels[2], levels[3], levels[4]
    rest = levels[5:] if version == "v1" else levels[6:]
    event = "vp" if version == "v1" else levels[5]
    mode, operator, vehicle = rest[0], rest[1], rest[2]
    journey = rest[3:]
    next_stop = journey[4] if len(journey) > 4 else None
    return journey_type, temporal, event, operator, vehicle, journey, next_stop


def facts(topic, payload):
    """Groups of facts in one message: name to value. A group that is not spoken of is absent."""
    journey_type, temporal, event, operator, vehicle, journey, next_stop = read_topic(topic)
    key, body = next(iter(json.loads(payload).items()))
    found = {}
    if body.get("lat") is not None and body.get("long") is not None:
        found["position"] = {"lat": body["lat"], "lon": body["long"]}
    if body.get("drst") is not None:
        found["doors_open"] = bool(body["drst"])
    # A delay is against a timetable: that of the trip in progress, and there is none on the way to or from the depot.
    if body.get("dl") is not None and (journey_type, temporal) == ("journey", "ongoing"):
        found["delay_s"] = -body["dl"]
    if temporal == "ongoing":
        if journey_type == "signoff" or event == "vjout":
            found["journey"] = {"journey_state": "signed_off", "route_id": None}
        elif journey_type == "deadrun":
            found["journey"] = {"journey_state": "deadrun", "route_id": None}
        elif journey:
            found["journey"] = {"journey_state": "in_service", "route_id": journey[0] or None}
        if journey_type == "journey" and next_stop is not None:
            found["stop_id"] = None if next_stop in ("", "EOL") else next_stop
    order = (millis(body["tst"]), 0 if event == "vp" else 1)
    return f"{operator}/{vehicle}", event, order, found


def newest(lines):
    vehicles = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = LINE.match(line.rstrip("\n"))
        if not match:
            sys.exit(f"line {number} is no HFP line: {line[:80]!r}")
        vehicle, event, order, found = facts(match.group(2), match.group(3))
        groups = vehicles.setdefault(vehicle, {})
        for name, value in found.items():
            best, candidates = groups.get(name, ((-1, -1), []))
            if order > best:
                groups[name] = (order, [value])
            elif order == best and value not in candidates:
                candidates.append(value)
    return {
        vehicle: {name: {"event_time_ms": order[0], "candidates": values} for name, (order, values) in groups.items()}
        for vehicle, groups in vehicles.items()
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as recording:
        json.dump(newest(recording), sys.stdout, sort_keys=True)
