#!/bin/sh
# Leave out what no function reads: tests, headers, and the data of the AWS services that we do not speak to.
set -eu
cd "$1"
find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
rm -rf bin numpy/_core/include numpy/f2py numpy/doc
if [ -d botocore/data ]; then
  cd botocore/data
  for folder in */; do
    case "$folder" in
      dynamodb/ | s3/ | sqs/ | sts/ | sso/ | sso-oidc/ | signin/) ;;
      *) rm -rf "$folder" ;;
    esac
  done
fi
