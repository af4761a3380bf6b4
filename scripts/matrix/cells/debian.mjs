import fs from 'node:fs';
import path from 'node:path';
import {jobFolder, rowOf} from '../jobs.mjs';
import {makeRoot, runInRoot} from '../roots.mjs';
import {installToolchain, npmOfNode} from '../toolchain.mjs';

const minute = 60_000;

/** Runs a job in a root, after copying its files, the repository and the probes there. */
async function runJobInRoot({steps, folder, programs, context, limitMs, name}) {
	const {settings, say} = context;
	fs.cpSync(jobFolder, path.join(folder, 'srv/job'), {recursive: true});
	fs.cpSync(context.source, path.join(folder, 'srv/testbed.git'), {recursive: true});
	if (context.batch !== '') {
		fs.copyFileSync(context.batch, path.join(folder, 'srv/batch.jsonl'));
	}

	// The packages that this machine has already fetched, so that figures are for a warm cache.
	fs.cpSync(context.cache, path.join(folder, 'root/.npm'), {recursive: true});
	fs.rmSync(path.join(folder, 'srv/out'), {recursive: true, force: true});
	const given = ['--out', '/srv/out', '--steps', steps.join(','), '--source', '/srv/testbed.git', '--checkout', '/root/testbed', '--batch', '/srv/batch.jsonl'];
	const env = programs === undefined ? {} : {PATH: `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`};
	const {ending} = await runInRoot(['node', '/srv/job/job.mjs', ...given], {folder, settings, env, onLine: say, limitMs});
	const out = path.join(folder, 'srv/out');
	const row = await rowOf({out, asked: steps, ending, context});
	context.keep(out, name);
	return row;
}

/** A cell: a fresh root with these packages, in which the testbed is cloned and tested. */
function debianCell({machine, suite, packages, steps, node, limitMs, inCi}) {
	return {
		part: 'debian', machine, needs: ['mmdebstrap', 'git'], inCi,
		async run(context) {
			const name = machine.toLowerCase().replaceAll(/[^a-z\d]+/g, '-');
			const folder = path.join(context.work, name);
			const problem = await makeRoot({suite, packages, folder, settings: context.settings, say: context.say})
				?? (node === undefined ? undefined : await installToolchain({node, npm: npmOfNode[node], folder: path.join(folder, 'opt/node'), cache: context.cache}));
			try {
				return problem === undefined
					? await runJobInRoot({steps, folder, name, context, limitMs, programs: node === undefined ? undefined : '/opt/node/node_modules/.bin'})
					: {result: `failed: ${problem}`};
			} finally {
				fs.rmSync(folder, {recursive: true, force: true});
			}
		},
	};
}

const own = ['nodejs', 'npm', 'git', 'ca-certificates'];

/**
Debian's releases. Before the first command, only `git` is installed, and `nodejs` and `npm` if they are the distribution's own; the launcher installs the rest.
(`ca-certificates` is normally installed with nodejs as a recommended package.)
*/
export const debianCells = [
	debianCell({machine: 'Debian 13, own Node and npm', suite: 'trixie', packages: own, steps: ['first', 'types', 'doctor', 'batch', 'diff', 'replay', 'test'], limitMs: 45 * minute, inCi: false}),
	debianCell({machine: 'Debian 13, the six types', suite: 'trixie', packages: own, steps: ['first', 'types', 'batch', 'sixTypes'], limitMs: 25 * minute, inCi: true}),
	debianCell({machine: 'Debian 12, official Node 22', suite: 'bookworm', packages: ['git', 'ca-certificates'], node: '22', steps: ['first', 'types', 'doctor', 'batch', 'diff', 'replay', 'kernel'], limitMs: 45 * minute, inCi: false}),
	debianCell({machine: 'Debian 12, own Node', suite: 'bookworm', packages: own, steps: ['refused'], limitMs: 10 * minute, inCi: false}),
];
