// The chart library, with the few parts of it that are used. Loaded when a page first draws a chart, and by nothing else.

import { BarChart, LineChart } from "echarts/charts";
import { AxisPointerComponent, GridComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, GridComponent, AxisPointerComponent, CanvasRenderer]);

export { init } from "echarts/core";
export type { ECharts } from "echarts/core";
