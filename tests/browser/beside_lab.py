"""beside_lab.py [--bare] NOTEBOOKS COMMAND...: runs the command beside a JupyterLab on a copy of the folder,
with --bare one without our extension; LAB_URL and LAB_TOKEN tell it where."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
from lab import lab  # noqa: E402

bare = sys.argv[1] == '--bare'
notebooks, *command = sys.argv[1 + bare:]
with lab(notebooks, without=['cutaway-lab'] if bare else []) as server:
    environment = os.environ | {'LAB_URL': server.url, 'LAB_TOKEN': server.token}
    status = subprocess.run(command, env=environment, check=False).returncode
sys.exit(status)
