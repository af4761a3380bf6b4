import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {backends} from './job/steps.mjs';
import {judgeBatch, judgeSteps, withBatch} from './judge.mjs';
import {privateCommand, run} from './private.mjs';
import {environmentOf, withoutNpm} from './settings.mjs';

/** The files of the job. They are copied to where they run, so that commits without them can be tested too. */
export const jobFolder = path.join(import.meta.dirname, 'job');

/** The answers of a job's batch, by back end. */
export function answersIn(out) {
	return Object.fromEntries(backends.map(backend => {
		const file = path.join(out, `answers-${backend}.out`);
		return [backend, fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''];
	}));
}

/**
The result of a job, as a row of the table.

@param {{out: string, asked: string[], ending: string, context: object}} options `out` is the folder that the job wrote to.
*/
export async function rowOf({out, asked, ending, context, isReference = false}) {
	const file = path.join(out, 'result.json');
	const seen = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
	let result = judgeSteps(asked, seen, ending);
	if (!isReference && asked.includes('batch') && seen?.steps.some(({name}) => name === 'batch')) {
		const batch = judgeBatch(await context.reference(), answersIn(out));
		context.say(`${batch.ok ? 'ok  ' : 'FAIL'} answers  ${batch.reason}`);
		for (const difference of batch.differences.slice(0, 5)) {
			context.say(`     ${difference}`);
		}

		result = withBatch(result, batch);
	}

	const figures = seen?.steps.find(step => step.figures !== undefined)?.figures ?? {};
	const {distribution = '', npm = '', node = '', iptables = '', nft = '', kernel = ''} = seen?.machine ?? {};
	return {distribution, npm, node, iptables, nft, kernel, ...figures, result};
}

/** Runs a job on this machine, with a Node and npm first in its PATH, in namespaces that end with it. */
export async function runJobHere({steps, name, programs, context, limitMs, isReference = false}) {
	const folder = path.join(context.work, name);
	const out = path.join(folder, 'out');
	fs.mkdirSync(out, {recursive: true});
	const plain = withoutNpm(process.env);
	const env = {
		...plain, ...environmentOf(context.settings, context.certificatesFile, context.cache),
		PATH: programs === undefined ? plain.PATH : `${programs}${path.delimiter}${plain.PATH}`,
	};
	const given = ['--out', out, '--steps', steps.join(','), '--source', context.source, '--checkout', path.join(folder, 'checkout'), '--batch', context.batch];
	const {ending} = await run(privateCommand('', ['node', path.join(jobFolder, 'job.mjs'), ...given]), {env, cwd: folder, onLine: context.say, limitMs});
	const row = await rowOf({out, asked: steps, ending, context, isReference});
	context.keep(out, name);
	fs.rmSync(path.join(folder, 'checkout'), {recursive: true, force: true});
	return {row, out};
}
