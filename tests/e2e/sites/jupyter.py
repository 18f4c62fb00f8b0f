"""Jupyter Server with a password, started anew each time it ends well, as a service manager would.

    SITE_DATA=DIR SITE_PORT=N python jupyter.py

What signs its cookies is below DIR/run; who holds the token can shut it down.
"""

import os
import subprocess
import sys
from pathlib import Path

DATA = Path(os.environ["SITE_DATA"])
CONFIGURATION = f"""
from jupyter_server.auth import passwd

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {int(os.environ["SITE_PORT"])}
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.ServerApp.root_dir = {str(DATA / "files")!r}
c.PasswordIdentityProvider.hashed_password = passwd("a window on the harbour", "sha256")
c.IdentityProvider.token = "the-service-manager"
"""

if __name__ == "__main__":
    (DATA / "files").mkdir()
    (DATA / "files" / "read me.txt").write_text("\"Ångström\" & <friends>\n")
    (DATA / "configuration.py").write_text(CONFIGURATION)
    folders = {f"JUPYTER_{kind}_DIR": str(DATA / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyter_server", "--config", DATA / "configuration.py"]
    while subprocess.run(command, env=os.environ | folders).returncode == 0:
        pass
    sys.exit("Jupyter Server ended with a failure")
