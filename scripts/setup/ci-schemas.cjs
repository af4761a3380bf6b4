'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {installWheel} = require('./wheel.cjs');

/** The JSON Schemas of GitLab's and GitHub's files, as check-jsonschema ships them: GitLab's own, and SchemaStore's. Only these files of the package are kept, and no Python of it runs. */
const pinned = {
	package: 'check-jsonschema',
	version: '0.39.0',
	sha256: ['14ce5c94871c551268ea948ffe21e9f1464dc48fb20bf9a4c13deeaaf756cf9b'],
};

const folder = `.tools/ci-schemas-${pinned.version}`;

/** The schemas, by their names in the package. */
const schemaNames = ['gitlab-ci', 'github-actions', 'github-workflows', 'github-issue-forms'];

/** Where a schema is, or would be. */
function schemaFile(root, name) {
	return path.join(root, folder, `${name}.json`);
}

/** Whether they are there. */
function schemasStand({root}) {
	return schemaNames.every(name => fs.existsSync(schemaFile(root, name)));
}

function installSchemas(context) {
	installWheel({
		pinned, what: 'The schemas', folder,
		take(unpacked, made) {
			for (const name of schemaNames) {
				fs.renameSync(path.join(unpacked, 'check_jsonschema/builtin_schemas/vendor', `${name}.json`), path.join(made, `${name}.json`));
			}
		},
	}, context);
}

module.exports = {
	installSchemas, pinned, schemaFile, schemasStand,
};
