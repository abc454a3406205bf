// Goes where the page's link leads, and takes the place of the page in the history: Back leads to what was before it.
location.replace(document.getElementById("redirect").href);
