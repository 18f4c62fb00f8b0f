"""DokuWiki as Debian packages it, unpacked into a folder and served by PHP's own server.

    SITE_DATA=DIR SITE_PORT=N python dokuwiki.py

Needs `php` and `apt-get`. The archives are kept below target/.
"""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ["SITE_DATA"])
ADDRESS = "127.0.0.1"
PACKAGES = ["dokuwiki", "libphp-simplepie", "php-geshi", "php-phpseclib", "php-random-compat"]
# Where the packages' files look for each other.
FOLDERS = ["usr/share/php", "usr/share/php-geshi", "etc/dokuwiki", "var/lib/dokuwiki"]
PEOPLE = [("ann", "a bench under the lime"), ("ben", "a bridge over the mill race")]
SETTINGS = """<?php
$conf['title'] = 'Wiki';
$conf['useacl'] = 1;
$conf['superuser'] = '@admin';
$conf['lang'] = 'en';
"""


def archives():
    """The packages' archives, downloaded where they are not there yet."""
    folder = ROOT / "target" / "debian" / "dokuwiki"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in PACKAGES if not list(folder.glob(f"{name}_*.deb"))]
    if missing:
        # Root's apt would rather download as a user who cannot write here.
        command = ["apt-get", "download", "--quiet", "--quiet", "-o", "APT::Sandbox::User=root", *missing]
        if subprocess.run(command, cwd=folder).returncode != 0:
            # A list of packages that is missing, or too old to name what the archive has now.
            subprocess.run(["apt-get", "update", "--quiet", "--quiet"], check=True)
            subprocess.run(command, cwd=folder, check=True)
    # Where two hold the same place, the order counts.
    return sorted(folder.glob("*.deb"))


def unpack(root):
    for archive in archives():
        subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
    place = re.compile(rf"(['\"])/({'|'.join(FOLDERS)})(?=/|\1)")
    for file in root.rglob("*.php"):
        if file.is_symlink():
            continue
        text = file.read_bytes().decode("latin-1")
        moved = place.sub(lambda found: f"{found[1]}{root}/{found[2]}", text)
        if moved != text:
            file.write_bytes(moved.encode("latin-1"))
    for link in (file for file in root.rglob("*") if file.is_symlink()):
        target = str(link.readlink())
        if target.startswith("/"):
            link.unlink()
            link.symlink_to(root / target[1:])


def fill(root):
    """What the package's installation and its administrator would do."""
    users = root / "var/lib/dokuwiki/acl"
    hashed = [(name, hash_of(password)) for name, password in PEOPLE]
    lines = [f"{name}:{text}:{name.title()} Nün:{name}@example.org:user\n" for name, text in hashed]
    (users / "users.auth.php").write_text("".join(lines))
    (users / "acl.auth.php").write_text("*\t@ALL\t0\n*\t@user\t8\n")
    (root / "etc/dokuwiki/local.php").write_text(SETTINGS)


def hash_of(password):
    script = "echo password_hash($argv[1], PASSWORD_BCRYPT, ['cost' => 4]);"
    done = subprocess.run(["php", "-r", script, password], capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    root = DATA / "root"
    unpack(root)
    fill(root)
    sessions = DATA / "sessions"
    sessions.mkdir()
    settings = ["-d", f"session.save_path={sessions}", "-d", "error_reporting=E_ALL & ~E_DEPRECATED"]
    port = os.environ["SITE_PORT"]
    command = ["php", *settings, "-S", f"{ADDRESS}:{port}", "-t", root / "usr/share/dokuwiki"]
    os.execvp("php", command)
