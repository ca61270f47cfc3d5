#!/bin/sh
# Makes the environment once: picks a Python >= 3.11, creates the virtual environment, installs requirements.lock
# with hashes and leadlight itself in editable mode. Usage: tools/setup.sh VENV
# A missing system package is named in one line; nothing else of the machine is changed.
set -eu
venv=$1

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 2
}

fits() { # a Python >= 3.11
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    old=
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3}; do
        fits "$candidate" || continue
        old=$candidate
        "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 || continue
        python=$candidate
        break
    done
    [ -n "$old" ] || fail "leadlight needs Python >= 3.11 (\`python3\` is $(python3 --version 2>/dev/null || echo missing)); install it, or name one: make setup PYTHON=/path/to/python3"
    [ -n "${python:-}" ] || fail "$old cannot make virtual environments; install the system package python3-venv (Debian, Ubuntu: apt-get install python3-venv)"
    printf 'setup: %s, new environment in %s\n' "$("$python" --version)" "$venv" >&2
    "$python" -m venv --clear "$venv"
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
printf 'setup: installing the pinned packages of requirements.lock (about two minutes the first time)\n' >&2
"$venv/bin/python" -m pip install -qq --no-compile --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install -qq --no-build-isolation --no-deps --editable .
"$venv/bin/python" -c 'import lightgbm' 2>"$venv/.import-error" || {
    grep -q libgomp "$venv/.import-error" || { cat "$venv/.import-error" >&2; fail "lightgbm cannot be imported (see above)"; }
    fail "lightgbm needs the OpenMP library; install the system package libgomp1 (Debian, Ubuntu: apt-get install libgomp1)"
}
rm -f "$venv/.import-error"
printf 'setup: ready\n' >&2
