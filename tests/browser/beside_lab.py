"""beside_lab.py NOTEBOOKS COMMAND...: runs the command beside a JupyterLab on a copy of the folder;
LAB_URL and LAB_TOKEN tell it where."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tools'))
from lab import lab  # noqa: E402

with lab(sys.argv[1]) as server:
    environment = os.environ | {'LAB_URL': server.url, 'LAB_TOKEN': server.token}
    status = subprocess.run(sys.argv[2:], env=environment, check=False).returncode
sys.exit(status)
