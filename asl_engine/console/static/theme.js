// Before anything is painted: the colours that were chosen here, if any were.
try {
  const chosen = localStorage.getItem("asl-console.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* no storage: the system's colours */ }
