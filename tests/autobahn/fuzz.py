# The suite's fuzzing client (Python 2.7): `fuzz.py SPEC.json` runs a specification, `fuzz.py --list` prints all case names.
import json
import sys
import types

# The suite's command line imports what its other programs need; this one starts the same client as `wstest -m fuzzingclient`.
sys.modules["autobahntestsuite.wstest"] = types.ModuleType("autobahntestsuite.wstest")

from autobahntestsuite import case, caseset, fuzzing
from twisted.internet import reactor

if sys.argv[1:] == ["--list"]:
    cases = caseset.CaseSet(
        case.CaseSetname, case.CaseBasename, case.Cases, case.CaseCategories, case.CaseSubCategories
    )
    print "\n".join(cases.caseClasstoId(each) for each in case.Cases)
else:
    with open(sys.argv[1]) as spec:
        fuzzing.startClient(json.load(spec))
    reactor.run()
