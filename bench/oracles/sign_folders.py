"""What PyPI's model-signing (1.1.1; pip install model-signing pyopenssl) says of folders, or signs.

python sign_folders.py verify PUBLIC.pem FOLDER...   one line of JSON: for each folder whether its model.sig holds
python sign_folders.py sign PRIVATE.pem FOLDER...    writes FOLDER/model.sig
python sign_folders.py case OUT                      makes the fixture test/fixtures/model-signing: a key, a signed folder
"""
import json
import pathlib
import subprocess
import sys

import model_signing.hashing
import model_signing.signing
import model_signing.verifying


def sign(key, folder):
    path = pathlib.Path(folder)
    signature = path / "model.sig"
    hashing = model_signing.hashing.Config().set_ignored_paths(paths=["model.sig"], ignore_git_paths=True)
    config = model_signing.signing.Config().use_elliptic_key_signer(private_key=key)
    config.set_hashing_config(hashing).sign(path, signature)


def holds(key, folder):
    try:
        config = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=key)
        config.verify(pathlib.Path(folder), pathlib.Path(folder) / "model.sig")
        return True
    except Exception:
        return False


def case(out):
    folder = pathlib.Path(out) / "signed"
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}\n')
    (folder / "sub" / "notes.txt").write_text("signed by model-signing\n")
    (folder / "sub-1.txt").write_text("sorts before sub/ by characters, behind it by parts\n")
    key = pathlib.Path(out) / "key.pem"
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key], check=True)
    subprocess.run(["openssl", "ec", "-in", key, "-pubout", "-out", pathlib.Path(out) / "key.pub.pem"], check=True, stderr=subprocess.DEVNULL)
    sign(key, folder)
    key.unlink()
    print("1 folder signed")


what, *names = sys.argv[1:]
if what == "case":
    case(names[0])
elif what == "sign":
    for name in names[1:]:
        sign(names[0], name)
else:
    print(json.dumps([holds(names[0], name) for name in names[1:]]))
