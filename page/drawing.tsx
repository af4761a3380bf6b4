/**
A connection as a drawing, as far as the packet has come, with the packet where it is.
*/

import {useEffect, useMemo, useRef} from 'preact/hooks';
import type {Connection} from '../src/drawing/connection.js';
import {layOut} from '../src/drawing/lay-out.js';
import {printSvg} from '../src/drawing/svg.js';
import {drawnUntil, walkOf} from '../src/drawing/walk.js';

/** `step` counts the steps of the walk; null shows all of it. `id` is unique on the page. */
export type DrawingProps = {readonly connection: Connection; readonly step?: number | null; readonly id: string; readonly caption?: string};

/** The drawing. It scrolls by itself, so that the packet stays in sight. */
export function Drawing({connection, step = null, id, caption}: DrawingProps) {
	const frame = useRef<HTMLDivElement>(null);
	const layout = useMemo(() => layOut(connection, {isNarrow: true}), [connection]);
	const walk = useMemo(() => walkOf(connection), [connection]);
	const {drawn, packet} = useMemo(() => {
		if (step === null) {
			return {drawn: layout, packet: undefined};
		}

		const shown = drawnUntil(layout, walk, step);
		return {drawn: shown.layout, packet: shown.packet};
	}, [layout, walk, step]);
	const svg = useMemo(() => printSvg(drawn, {id, hasStyle: false}), [drawn, id]);

	useEffect(() => {
		const box = frame.current;
		if (box === null) {
			return;
		}

		if (packet === undefined) {
			box.scrollTo({top: 0});
			return;
		}

		const scale = box.scrollWidth / layout.width;
		const top = (packet.y * scale) - (box.clientHeight / 2);
		box.scrollTo({top: Math.max(0, top), behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
	}, [packet?.x, packet?.y, layout]);

	return (
		<figure class='drawing'>
			{caption === undefined ? null : <figcaption>{caption}</figcaption>}
			<div ref={frame} class='frame' tabIndex={0} role='region' aria-label={`Drawing${caption === undefined ? '' : `, ${caption}`}: ${connection.title}`}>
				<div class='canvas'>
					<div dangerouslySetInnerHTML={{__html: svg}}/>
					{packet === undefined
						? null
						: (
							<svg class='dw overlay' viewBox={`0 0 ${layout.width} ${layout.height}`} aria-hidden='true'>
								<circle class='packet' cx={packet.x} cy={packet.y} r='13'/>
								<circle class='packet-core' cx={packet.x} cy={packet.y} r='5'/>
							</svg>
						)}
				</div>
			</div>
		</figure>
	);
}
