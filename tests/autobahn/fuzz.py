# The suite's programs (Python 2.7): `fuzz.py SPEC.json` runs the fuzzing client with a specification, `fuzz.py --serve SPEC.json` the fuzzing
# server, and `fuzz.py --list` prints all case names.
import json
import sys
import types

# The suite's command line imports what its other programs need; this one starts the same as `wstest -m fuzzingclient` and `fuzzingserver`.
sys.modules["autobahntestsuite.wstest"] = types.ModuleType("autobahntestsuite.wstest")

from autobahntestsuite import case, caseset, fuzzing
from twisted.internet import reactor

if sys.argv[1:] == ["--list"]:
    cases = caseset.CaseSet(
        case.CaseSetname, case.CaseBasename, case.Cases, case.CaseCategories, case.CaseSubCategories
    )
    print "\n".join(cases.caseClasstoId(each) for each in case.Cases)
elif sys.argv[1] == "--serve":
    with open(sys.argv[2]) as spec:
        fuzzing.startServer(json.load(spec), None)
    reactor.run()
else:
    with open(sys.argv[1]) as spec:
        fuzzing.startClient(json.load(spec))
    reactor.run()
