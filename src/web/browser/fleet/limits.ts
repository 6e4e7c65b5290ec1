/** CPU utilization in percent from which the page shows an API server in red and Grafana's alert fires. */
export const CPU_ALERT = 90;
