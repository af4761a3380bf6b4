import test from 'ava';
import {mergeLegs, type ChainBox, type Row} from '../../../src/drawing/merge.js';
import {pictureOfResult} from '../../../src/report/pictures/pictures.js';
import {sketchConnection} from '../../helpers/connections.js';
import {sketchReport, typeOf} from '../../helpers/reports.js';

function printRow(row: Row): string {
	const legs = row.meetings.map(({leg, state}) => `${leg + 1}${{missed: '-', matched: '+', decided: '!'}[state]}`).join(' ');
	switch (row.kind) {
		case 'fold': {
			return `${row.count} rules ${row.wasAsked ? 'asked' : 'unmet'} ${legs}`.trimEnd();
		}

		case 'policy': {
			return `${row.text} ${row.meetings.map(({leg}) => leg + 1).join(' ')}`;
		}

		case 'rule': {
			return [`${row.number ?? '?'} ${legs}`.trimEnd(), ...row.inner.map(chain => `(${printChain(chain)})`)].join(' ');
		}
	}
}

function printChain({name, rows}: ChainBox): string {
	return `${name}: ${rows.map(row => printRow(row)).join(', ')}`;
}

function printType(input: string, id: '1' | '2' | '4' | '4b'): readonly string[] {
	const report = sketchReport({input, ids: [id]});
	const [picture] = pictureOfResult(typeOf(report, id), report.loaded);
	return mergeLegs(picture!.connection).map(({hook, chains}) => `${hook} ${chains.map(chain => printChain(chain)).join('; ')}`);
}

test('type 2: the chain that a rule jumps to follows that rule, and each leg has its own points', t => {
	t.deepEqual(printType('release:1.30', '2'), [
		'output OUTPUT: 1 1+ 2+ (ISTIO_OUTPUT: 1 1- 2-, 2 1- 2-, 3 1- 2-, 4 1- 2!, 5 1-, 6 1-, 7 1-, 8 1-, 9 1+ (ISTIO_REDIRECT: 1 1!)), end of the chain: policy ACCEPT 2',
		'postrouting POSTROUTING: no rules: policy ACCEPT 1 2',
	]);
});

test('type 1: rules that no packet reached are one line', t => {
	t.regex(printType('release:1.30', '1').join('\n'), /ISTIO_OUTPUT: 1 2!, 8 rules unmet/u);
});

test('of many rules in a row that did not match, the first and the last ones are listed', t => {
	const [panel] = mergeLegs(sketchConnection({rules: 200, legs: 1}));
	const rows = panel!.chains[0]!.rows[0]!;
	t.is(rows.kind === 'rule' ? printChain(rows.inner[0]!) : '', 'ISTIO_OUTPUT: 1 1-, 2 1-, 3 1-, 4 1-, 191 rules asked 1-, 196 1-, 197 1-, 198 1-, 199 1-, 200 1!');
});

test('rules that are not in the installed set are listed last', t => {
	const connection = sketchConnection({legs: 1});
	const [leg] = connection.legs;
	const foreign = {
		chain: 'OUTPUT', number: null, text: 'a rule that is not in the installed set', purpose: null, state: 'matched', because: '', jump: null,
	} as const;
	const [panel] = mergeLegs({...connection, legs: [{...leg!, visits: [{...leg!.visits[0]!, asked: [foreign]}]}]});
	t.is(printChain(panel!.chains[0]!), 'OUTPUT: 1, ? 1+, end of the chain: policy ACCEPT 1');
});
