import test from 'ava';
import fc from 'fast-check';
import {layOut} from '../../../src/drawing/lay-out.js';
import {escapeMermaid, printMermaid} from '../../../src/drawing/mermaid.js';
import {printPath, printSvg} from '../../../src/drawing/svg.js';
import {describeSteps} from '../../../src/drawing/steps.js';
import {sketchConnection} from '../../helpers/connections.js';
import {parseXml} from '../../helpers/junit.js';

const hostile = '</text><script>alert(1)</script><img src=x onerror=alert(2)>"\'&{{';

test('whatever characters a name has, the drawing is well-formed, and the name is text', t => {
	fc.assert(fc.property(fc.string({unit: 'binary', minLength: 1, maxLength: 30}), name => {
		const document = parseXml(printSvg(layOut(sketchConnection({name, rules: 2, legs: 1}))));
		t.is(document.name, 'svg');
	}), {numRuns: 30});
});

test('a hostile name is no markup, in SVG and in Mermaid', t => {
	const connection = sketchConnection({name: hostile, legs: 1});
	t.notRegex(printSvg(layOut(connection)), /<script|<img|onerror=alert\(2\)>/u);
	t.notRegex(printMermaid(connection), /<script|<img|\{\{"?alert/u);
	t.is(escapeMermaid('"];x-->y'), '#34;#93;#59;x--#62;y');
});

test('the same connection gives the same drawing, and the description says the same', t => {
	const [one, other] = [sketchConnection(), sketchConnection()].map(connection => printSvg(layOut(connection)));
	t.is(one, other);
	t.regex(one!, /<svg [^>]*role="img" aria-labelledby="drawing-t" aria-describedby="drawing-d">\n<title id="drawing-t">Sketch of ISTIO_OUTPUT: app → /u);
	t.regex(one!, /<desc id="drawing-d">Leg 1: app \(uid 1337, gid 1337\) opens a connection to 10\.244\.1\.20:443\./u);
});

test('a drawing needs no script, no other file and no style attribute', t => {
	t.notRegex(printSvg(layOut(sketchConnection({legs: 6}))), /<script|\bstyle="|url\(|@import|xlink|href="(?!#)/u);
});

test('the description: each hit, what NAT did, and the end', t => {
	const [first, last] = describeSteps(sketchConnection({rules: 1, end: 'dropped'}));
	t.deepEqual(first!.steps.map(step => step.replace(/ -d .*/u, '')), ['OUTPUT#1 matches: -j ISTIO_OUTPUT', 'ISTIO_OUTPUT#1 decides:', 'The destination becomes 127.0.0.1:15001 (was 10.244.1.20:443).', 'It arrives at proxy:15000.']);
	t.is(last!.steps.at(-1), 'It ends: dropped.');
});

test('a connection without legs is drawn as its title', t => {
	t.regex(printSvg(layOut({
		title: 'Nothing', summary: '', legs: [], chains: [], notes: ['Evidence is missing: no packet was seen.'],
	})), /Evidence is missing/u);
});

test('lines turn with round corners, as far as there is room', t => {
	t.is(printPath([{x: 0, y: 0}, {x: 0, y: 20}, {x: 4, y: 20}, {x: 4, y: 20}, {x: 4, y: 40}]), 'M0 0L0 18Q0 20 2 20L2 20Q4 20 4 22L4 40');
});

test('Mermaid: a box for each chain, the deciding rule bold, an arrow for each step', t => {
	t.deepEqual(printMermaid(sketchConnection({rules: 1, legs: 1, name: 'C'})).split('\n'), [
		'flowchart TD',
		'\taccTitle: Sketch of C',
		'\tn1(["app<br>uid 1337, gid 1337"])',
		'\tsubgraph g1["OUTPUT nat OUTPUT"]',
		'\t\tn2["1&nbsp; -j C"]',
		'\tend',
		'\tsubgraph g2["OUTPUT nat C"]',
		'\t\tn3["<b>1</b>&nbsp; -d 10.244.1.20 -p tcp -m tcp --dport 1000 -m comment --comment #34;C 0#34; -j RETURN"]',
		'\tend',
		'\tsubgraph g3["outside the pod"]',
		'\t\tn4(["remote-C<br>10.244.1.20"])',
		'\tend',
		'\tn1 -->|"1"| n2',
		'\tn2 -->|"1"| n3',
		'\tn3 -->|"1 :15000"| n4',
		'\tlinkStyle 0,1,2 stroke:#065bdb,stroke-width:3px',
		'',
	]);
});
