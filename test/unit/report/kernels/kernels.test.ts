/** The report on several kernels, in the forms that have their own printers. */

import test from 'ava';
import {kernelsToJson, resultsOfKernels} from '../../../../src/report/kernels/json.js';
import {printKernels} from '../../../../src/report/kernels/text.js';
import {exitStatusOfResults} from '../../../../src/report/formats/results.js';
import {exitStatusOfKernels} from '../../../../src/report/kernels/types.js';
import {compareWithGolden} from '../../../helpers/goldens.js';
import {kernelsReport} from '../../../helpers/kernels-report.js';

test('text: one table, then why a kernel did not pass, and what it lacks', t => {
	compareWithGolden(t, 'kernels/kernels.txt', printKernels(kernelsReport, {color: false, width: 80, verbose: false}));
});

test('text with the outputs of each kernel', t => {
	const text = printKernels(kernelsReport, {color: false, width: 80, verbose: true, areOutputsPrinted: true});
	t.regex(text, /^── 6\.1\.0-57-cloud-amd64\nsix types\n18 passed\n/mu);
	t.notRegex(printKernels(kernelsReport, {color: false, width: 80, verbose: false}), /six types/u);
});

test('JSON', t => {
	compareWithGolden(t, 'kernels/kernels.json', `${JSON.stringify(kernelsToJson(kernelsReport), undefined, 2)}\n`);
});

test('no line is wider than the terminal', t => {
	t.deepEqual(printKernels(kernelsReport, {color: false, width: 80, verbose: false}).split('\n').filter(line => line.length > 80), []);
});

test('every form has the same exit status: one that nobody could boot passes nowhere', t => {
	t.is(exitStatusOfKernels(kernelsReport), 1);
	t.is(exitStatusOfResults(resultsOfKernels(kernelsReport)), 1);
	const untried = {...kernelsReport, kernels: kernelsReport.kernels.filter(({release}) => release === null)};
	t.is(exitStatusOfKernels(untried), 3);
	t.is(exitStatusOfResults(resultsOfKernels(untried)), 3);
	t.is(exitStatusOfKernels({kernels: []}), 3);
	t.is(exitStatusOfResults(resultsOfKernels({...kernelsReport, kernels: []})), 3);
});
