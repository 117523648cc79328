"""Print template.yaml as CloudFormation sees it, as JSON. Run by the tools' own interpreter.

    python translate.py template.yaml [bucket]

Code is taken from `s3://<bucket>/<logical id>.zip`.
"""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform


class NoPolicies(ManagedPolicyLoader):
    def __init__(self):
        super().__init__(None)

    def load(self):
        return {}


def translated(text, bucket):
    template = yaml_parse(text)
    for name, resource in template["Resources"].items():
        place = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
        if resource["Type"] in place:
            resource["Properties"][place[resource["Type"]]] = f"s3://{bucket}/{name}.zip"
    return transform(template, {}, NoPolicies())


if __name__ == "__main__":
    bucket = sys.argv[2] if len(sys.argv) > 2 else "code"
    json.dump(translated(Path(sys.argv[1]).read_text(), bucket), sys.stdout, indent=1)
