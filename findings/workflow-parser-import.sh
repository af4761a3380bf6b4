#!/bin/sh
# @actions/workflow-parser 0.3.61 with its dependencies of then; Node 20.20.2.
# Guess before measuring: Node imports GitHub's own parser of workflows as it is published: package.json says that it is
#   an ES module, and names ./dist/index.js for `import`.
# Seen: no import ends well. The published modules import a JSON file without `with {type: "json"}`, which Node demands.
#   A bundler takes it: bundled with esbuild 0.25.12 to CommonJS, it reads workflows.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund @actions/workflow-parser@0.3.61 @actions/expressions@0.3.61 esbuild@0.25.12
echo "Node $(node --version)"
cat >import.js <<'JS'
try {
	await import('@actions/workflow-parser');
	console.log('imported');
} catch (error) {
	console.log(`import: ${error.code}`);
}
JS
node import.js | tee seen.txt
echo "export * from '@actions/workflow-parser';" >entry.js
node_modules/.bin/esbuild entry.js --bundle --platform=node --format=cjs --outfile=bundle.cjs --log-level=error
cat >bundled.cjs <<'JS'
const {parseWorkflow, NoOperationTraceWriter} = require('./bundle.cjs');
const content = 'on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: "true"\n';
console.log(`bundled: ${parseWorkflow({name: 'a.yml', content}, new NoOperationTraceWriter()).context.errors.getErrors().length} errors`);
JS
node bundled.cjs | tee -a seen.txt
grep -q '^import: ERR_IMPORT_A' seen.txt
grep -q '^bundled: 0 errors$' seen.txt
echo 'Still the same.'
