"""The hub's own Python client against whatever HF_ENDPOINT names: fetches REPO into a folder, and pushes another folder as ada/theirs.

PYTHON hub_client.py REPO INTO FROM, run by bench/share-cut-off.mjs; needs `pip install huggingface_hub`.
"""

import sys

import huggingface_hub
from huggingface_hub import HfApi, snapshot_download

repo, into, source = sys.argv[1:]
snapshot_download(repo, local_dir=into)
api = HfApi()
api.create_repo("ada/theirs", exist_ok=True)
api.upload_folder(repo_id="ada/theirs", folder_path=source, commit_message="from Python")
info = api.model_info(repo)
assert info.card_data is not None and info.card_data.license == "apache-2.0", info
print(huggingface_hub.__version__)
