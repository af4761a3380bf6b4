/**
The style sheet of drawings, for light mode, dark mode and print. A standalone file includes it; a page has it once for all of its drawings.
*/

import {types} from './sizes.js';
import type {Type} from './text-measure.js';
import {dashes, schemes, type Scheme} from './palette.js';

const sansFonts = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif';
const monoFonts = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace';

function variables({legs, ...colors}: Scheme): string {
	const named = Object.entries(colors).map(([name, value]) => `--${name === 'onLeg' ? 'on-leg' : name}:${value}`);
	return [...named, ...legs.map((color, index) => `--leg${index}:${color}`)].join(';');
}

/** A property with the light color for viewers that do not support variables. */
function color(property: 'fill' | 'stroke', name: keyof Omit<Scheme, 'legs' | 'onLeg'>): string {
	return `${property}:${schemes.light[name]};${property}:var(--${name})`;
}

const legs = dashes.map((dash, index) => {
	const own = schemes.light.legs[index];
	return [
		`.l${index}{stroke:${own};stroke:var(--leg${index})${dash === '' ? '' : `;stroke-dasharray:${dash}`}}`,
		`.f${index}{fill:${own};fill:var(--leg${index})}`,
		`.s${index}{stroke:${own};stroke:var(--leg${index})}`,
	].join('\n');
}).join('\n');

const faces = {sans: '', bold: 'font-weight:700;', mono: `font-family:${monoFonts};`} as const;

const typeList: readonly Type[] = Object.values(types);

const typeRules = typeList.map(({face, size}, index) => `.y${index}{${faces[face]}font-size:${size}px}`).join('\n');

/** The class of a kind of type. */
export function classOfType(type: Type): string {
	return `y${typeList.findIndex(({face, size}) => face === type.face && size === type.size)}`;
}

/** The style of every drawing. `.dw` is the class of its root. The other rules do not begin with it, because what several drawings of a page share is not a descendant of any of them. */
export const drawingStyle = `.dw{${variables(schemes.light)};font-family:${sansFonts}}
@media screen and (prefers-color-scheme:dark){.dw{${variables(schemes.dark)}}}
.paper{${color('fill', 'paper')}}
.panel{${color('fill', 'panel')};${color('stroke', 'line')}}
.base,.chain{${color('fill', 'chain')};${color('stroke', 'line')}}
.zone{fill:none;${color('stroke', 'line')};stroke-dasharray:2 4}
.stand{${color('fill', 'chain')};${color('stroke', 'soft')};stroke-width:1.5}
.nobody{fill:none;${color('stroke', 'alarm')};stroke-width:1.5;stroke-dasharray:5 4}
.mark{opacity:.13}
.edge{opacity:1}
${typeRules}
.strong{font-weight:700}
.spaced{letter-spacing:1px}
.ink{${color('fill', 'ink')}}
.soft{${color('fill', 'soft')}}
.pale{${color('fill', 'pale')}}
.alarm{${color('fill', 'alarm')}}
.lead{${color('stroke', 'line')};stroke-width:1}
.track{fill:none;stroke-width:4;stroke-linejoin:round;stroke-linecap:butt}
.case{fill:none;${color('stroke', 'paper')};stroke-width:9}
.ring{${color('fill', 'chain')};stroke-width:2.5}
.dot{${color('fill', 'chain')};stroke-width:2}
.num{fill:${schemes.light.onLeg};fill:var(--on-leg);font-size:10.5px;font-weight:700;text-anchor:middle}
.end{text-anchor:end}
.cross{fill:none;${color('stroke', 'alarm')};stroke-width:3.5;stroke-linecap:round}
${legs}
@media print{.dw{${variables(schemes.light)}}}
`;

/** For a page that shares the signs of its drawings: lines that are only seen by the dots at their points. */
export const dotsStyle = dashes.map((_, index) => `.k${index}{fill:none;marker:url(#k${index})}`).join('\n');

/** For a page with a theme switch: the colors of its drawings by its own attribute, whatever the system's setting. Comes after {@link drawingStyle}. */
export const drawingSchemes = `@media screen{[data-theme=light] .dw{${variables(schemes.light)}}
[data-theme=dark] .dw{${variables(schemes.dark)}}}
`;
