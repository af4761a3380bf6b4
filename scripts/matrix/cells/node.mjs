import path from 'node:path';
import {runJobHere} from '../jobs.mjs';
import {installToolchain, npmOfNode, programsOf} from '../toolchain.mjs';

const steps = ['first', 'types', 'batch', 'diff', 'replay', 'unit'];
const limitMs = 20 * 60_000;

/** Official Node builds: the oldest supported version, and the newest of each release line. */
const lines = [['20.19.0', 20], ['20', 20], ['22', 22], ['24', 24], ['26', 26]];

/** The cells of official Node builds on this machine, each with the npm of its release line. */
export const nodeCells = lines.map(([version, line]) => ({
	part: 'node', machine: `this machine, Node ${version}`, needs: ['git'], inCi: ['20.19.0', '24'].includes(version),
	async run(context) {
		const name = `node-${version}`;
		const folder = path.join(context.work, name, 'toolchain');
		const problem = await installToolchain({node: version, npm: npmOfNode[line], folder, cache: context.cache});
		if (problem !== undefined) {
			return {result: `failed: ${problem}`};
		}

		const {row} = await runJobHere({steps, name, programs: programsOf(folder), context, limitMs});
		return row;
	},
}));

/** This machine with its own Node and npm, which the other cells are compared with. */
export const hereCell = {
	part: 'here', machine: 'this machine, as it is', needs: ['git'], inCi: true,
	async run(context) {
		const {row} = await context.runReference();
		return row;
	},
};

/** The reference run: the same steps, with nothing to compare. */
export function runHere(context) {
	return runJobHere({steps, name: 'here', programs: undefined, context, limitMs, isReference: true});
}
