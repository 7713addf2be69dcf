"""axe-core in a page: what it finds there about accessibility."""

import functools
import pathlib

SCRIPT = pathlib.Path(__file__).resolve().parent / "node_modules/axe-core/axe.min.js"


@functools.lru_cache(None)
def script():
    if not SCRIPT.exists():
        raise AssertionError("%s is not there: npm ci in %s fetches it" % (SCRIPT.name, SCRIPT.parents[2]))
    return SCRIPT.read_text()


def findings(driver):
    """A line for each element with a finding."""
    driver.execute_script(script())
    found = driver.execute_async_script("""
        const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then(result => done(result.violations), error => done([{ id: String(error), help: '', nodes: [] }]));
    """)
    return ["%s (%s): %s %s" % (each["id"], each["help"], " ".join(map(str, node["target"])), node["html"][:200]) for each in found for node in each["nodes"] or [{"target": [], "html": ""}]]
